import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type AnyGuard, type Denial, refusalOf } from '@sallyport/core';

/** How long a refused peer may take to read its refusal. */
const LINGER = 2_000;

/** Answers a handshake with an HTTP refusal on its raw socket, and destroys the socket even if the peer never closes. */
export function refuse(socket: Duplex, denial: Denial, guard: AnyGuard): void {
  if (socket.destroyed) return;
  const { status, headers, body } = refusalOf(denial);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  endSoon(socket, guard, [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...lines, '', body].join('\r\n'));
}

/** Ends a socket once everything is written, and destroys it whether or not the peer closes, or reads at all. */
export function endSoon(socket: Duplex, guard: AnyGuard, last = ''): void {
  const cancel = guard.schedule(LINGER, () => socket.destroy());
  socket.once('close', cancel);
  socket.end(last, () => socket.destroy());
}
