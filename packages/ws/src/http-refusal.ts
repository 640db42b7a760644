import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { AnyGuard, Reason } from '@sallyport/core';
import { type Denial, hostGuard, type Refusal, refusalOf } from '@sallyport/core/host';

/** Milliseconds that a refused peer has to read the refusal. */
const LINGER = 2_000;

/** Answers a handshake with an HTTP refusal on its raw socket, and destroys the socket even if the peer never closes. */
export function refuse(socket: Duplex, denial: Denial, guard: AnyGuard): void {
  if (socket.destroyed) return;
  endSoon(socket, guard, responseOf(denial));
}

/** Responses without `Retry-After`, by reason: they are the same each time, so a flood of refusals builds none. */
const responses = new Map<Reason, string>();

function responseOf(denial: Denial): string {
  if (denial.retryAfter !== undefined) return write(refusalOf(denial));
  let response = responses.get(denial.reason);
  if (response === undefined) {
    response = write(refusalOf(denial));
    responses.set(denial.reason, response);
  }
  return response;
}

function write({ status, headers, body }: Refusal): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines, '', body].join('\r\n');
}

/** Ends a socket after `last` is written, and destroys it within `LINGER`, even if the peer neither reads nor closes. */
export function endSoon(socket: Duplex, guard: AnyGuard, last = ''): void {
  const cancel = hostGuard(guard).schedule(LINGER, () => socket.destroy());
  socket.once('close', cancel);
  socket.end(last, () => socket.destroy());
}
