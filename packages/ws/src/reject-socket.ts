import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type AnyGuard, reasons } from '@sallyport/core';
import type { Denial, Handshake } from '@sallyport/core/host';
import { WebSocketServer } from 'ws';

/** What is needed of an `Upgrade` to accept it only for its close code. */
export interface RejectedUpgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly handshake: Pick<Handshake, 'subprotocol'>;
  takeOver(): Buffer;
  upgraded(): void;
}

/** How many sockets are open only to be closed, by guard; bounded by `limits.rejectedSockets`. */
const rejected = new WeakMap<object, { count: number }>();

/**
 * Tells a denial by a close code: accepts, closes at once, and terminates a peer that does not answer. A server of its
 * own does it, so that no handler of the application can ever see the socket. `false` where the reason has no close
 * code, or too many such sockets are open.
 */
export function closeInstead(upgrade: RejectedUpgrade, denial: Denial, guard: AnyGuard): boolean {
  const { close, text } = reasons[denial.reason] as { close?: number; text: string };
  const { rejectedSockets, closeTimeout } = guard.hostLimits;
  const open = rejected.get(guard.hostLimits) ?? { count: 0 };
  if (close === undefined || open.count >= rejectedSockets || !upgrade.socket.writable) return false;
  rejected.set(guard.hostLimits, open);

  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: 1,
    // A browser that asked for a subprotocol needs one, to get as far as the close code.
    handleProtocols: (offered) => upgrade.handshake.subprotocol ?? offered.values().next().value ?? false,
  });
  open.count++;
  const head = upgrade.takeOver();
  upgrade.socket.once('close', () => open.count--);
  server.handleUpgrade(upgrade.request, upgrade.socket, head, (socket) => {
    upgrade.upgraded();
    const cancel = guard.schedule(closeTimeout, () => socket.terminate());
    socket.on('error', () => socket.terminate());
    socket.on('close', cancel);
    socket.close(close, text);
  });
  upgrade.socket.resume();
  return true;
}
