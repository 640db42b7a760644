import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type AnyGuard, reasons } from '@sallyport/core';
import { type Denial, type HostHandshake, hostGuard } from '@sallyport/core/host';
import { WebSocketServer } from 'ws';

/** What is needed of an `Upgrade` to accept it only for its close code. */
export interface RejectedUpgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly handshake: Pick<HostHandshake, 'subprotocol'>;
  takeOver(): Buffer;
  unsafeLetSwitch(): void;
  upgraded(): void;
}

/** How many sockets of each guard are open only to be closed; bounded by `limits.rejectedSockets`. */
const rejected = new WeakMap<object, { count: number }>();

/**
 * Refuses by a close code (`rejectAs: 'close'`): accepts the handshake, closes at once, and terminates a peer that does
 * not answer within `limits.closeTimeout`. A ws server of its own accepts, so that no handler of the application sees the
 * socket. Returns `false`, and does nothing, when the reason has no close code or too many such sockets are open.
 */
export function refuseByClosing(upgrade: RejectedUpgrade, denial: Denial, guard: AnyGuard): boolean {
  const { close, text } = reasons[denial.reason] as { close?: number; text: string };
  const host = hostGuard(guard);
  const { rejectedSockets, closeTimeout } = host.limits;
  const open = rejected.get(host.limits) ?? { count: 0 };
  if (close === undefined || open.count >= rejectedSockets || !upgrade.socket.writable) return false;
  rejected.set(host.limits, open);

  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: 1,
    // A browser that offered subprotocols fails the connection unless one is selected, and then sees no close code.
    handleProtocols: (offered) => upgrade.handshake.subprotocol ?? offered.values().next().value ?? false,
  });
  open.count++;
  upgrade.unsafeLetSwitch();
  const head = upgrade.takeOver();
  upgrade.socket.once('close', () => open.count--);
  server.handleUpgrade(upgrade.request, upgrade.socket, head, (socket) => {
    upgrade.upgraded();
    const cancel = host.schedule(closeTimeout, () => socket.terminate());
    socket.on('error', () => socket.terminate());
    socket.on('close', cancel);
    socket.close(close, text);
  });
  upgrade.socket.resume();
  return true;
}
