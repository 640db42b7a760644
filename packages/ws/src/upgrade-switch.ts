import type { IncomingMessage } from 'node:http';
import type { MaybePromise } from '@sallyport/core';
import { isPromise, receiverOf } from '@sallyport/core/host';
import type { WebSocket, WebSocketServer } from 'ws';
import { guardSocket } from './guarded-socket.ts';
import { limitedServer } from './limited-server.ts';
import type { Upgrade } from './upgrade.ts';
import {
  type Decision,
  decide,
  type GuardedDecision,
  prepare,
  type UpgradeHooks,
} from './upgrade-decision.ts';
import { sendCookies } from './upgrade-response.ts';

type Accept = (socket: WebSocket, request: IncomingMessage) => void;

/**
 * Runs the inner door, then sends the 101 and calls `accept` with the socket. Any failure on the way ends the socket. All
 * of it is done when this returns if nothing was asynchronous; else it returns a promise, which never rejects.
 */
export function switchIfAdmitted(
  upgrade: Upgrade,
  hooks: UpgradeHooks,
  wss: WebSocketServer,
  handleUpgrade: WebSocketServer['handleUpgrade'],
  accept: Accept,
): MaybePromise<void> {
  sendCookies(wss);
  const proceed = (decision: Decision | undefined): MaybePromise<void> => {
    if (decision === undefined) return;
    const prepared = prepare(upgrade, hooks);
    if (isPromise(prepared))
      return prepared.then(() => switchProtocols(upgrade, decision, wss, handleUpgrade, accept));
    switchProtocols(upgrade, decision, wss, handleUpgrade, accept);
  };
  try {
    const decision = decide(upgrade, hooks.route);
    const switched = isPromise(decision) ? decision.then(proceed) : proceed(decision);
    return isPromise(switched) ? switched.catch((error) => abort(upgrade, error)) : switched;
  } catch (error) {
    abort(upgrade, error);
  }
}

/** Destroys the socket without a refusal, because part of the 101 may have been sent. */
function abort(upgrade: Upgrade, error: unknown): void {
  upgrade.handshake.fault(error);
  upgrade.socket.destroy();
}

function switchProtocols(
  upgrade: Upgrade,
  decision: Decision,
  wss: WebSocketServer,
  handleUpgrade: WebSocketServer['handleUpgrade'],
  accept: Accept,
): void {
  const admission = 'public' in decision ? undefined : decision.admission;
  if (upgrade.done) {
    admission?.release();
    return;
  }
  const { request, socket } = upgrade;
  const head = upgrade.takeOver();
  if (admission === undefined) {
    upgrade.handshake.abandon();
    upgrade.unsafeLetSwitch();
  }
  const server = 'public' in decision ? wss : limitedServer(wss, decision.admission, decision.guard);
  // The end of the socket releases the slots until ws has the socket; from then on the connection releases them.
  let upgraded = false;
  let isAwaited = false;
  const release = (): void => admission?.release();
  try {
    handleUpgrade.call(server, request, socket, head, (ws: WebSocket) => {
      upgraded = true;
      upgrade.upgraded();
      if (isAwaited) socket.off('close', release);
      if ('public' in decision) acceptPublic(ws, request, accept);
      else acceptGuarded(ws, upgrade, accept, decision);
    });
  } catch (error) {
    abort(upgrade, error);
  }
  // Otherwise ws has refused the upgrade itself, or its `verifyClient` answers later.
  if (upgraded) return;
  upgrade.harden();
  isAwaited = true;
  if (socket.closed) release();
  else socket.once('close', release);
}

/** A public handler answers for itself. Without an error listener, though, one bad frame would end the process. */
function acceptPublic(ws: WebSocket, request: IncomingMessage, accept: Accept): void {
  ws.on('error', ignore);
  try {
    accept(ws, request);
  } catch {
    ws.terminate();
  }
}

function acceptGuarded(
  ws: WebSocket,
  { request, socket }: Upgrade,
  accept: Accept,
  { admission, guard }: GuardedDecision,
): void {
  const isPending = admission.identity === undefined;
  // Counted here, because ws emits nothing for a message until its last fragment has come.
  const count = (chunk: Buffer): void => receiver.received?.(chunk.length);
  if (isPending) socket.on('data', count);
  const receiver = guardSocket(ws, admission, guard, (connection) => {
    if (isPending) socket.off('data', count);
    try {
      accept(ws, request);
    } catch (error) {
      receiverOf(connection).fault(error);
    }
  });
}

function ignore(): void {}
