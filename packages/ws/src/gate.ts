import type { IncomingMessage } from 'node:http';
import { type Admission, type AnyGuard, type Denial, deny, type Identity, isPromise } from '@sallyport/core';
import type { WebSocket, WebSocketServer } from 'ws';
import { guardSocket } from './guarded-socket.ts';
import { refuse } from './refuse.ts';
import { type Upgrade, upgradeOf } from './upgrade.ts';

type Admitted = Admission<Identity, unknown, unknown>;
type Accept = (socket: WebSocket, request: IncomingMessage) => void;

/** Which guard decides, and what its hooks get to see of the host's request. */
export interface GateTarget {
  readonly guard: AnyGuard;
  readonly native: unknown;
}

export interface GateOptions {
  /** Asked for each upgrade, before the inner door; a denial refuses it. */
  readonly target: (request: IncomingMessage) => GateTarget | Denial | Promise<GateTarget | Denial>;
  /** Used where there is no better one: to refuse an upgrade that went around the outer door. */
  readonly guard: AnyGuard;
}

const gated = new WeakSet<WebSocketServer>();
/** What was agreed on, for ws to answer with: by request, since ws asks again after its own checks. */
const agreed = new WeakMap<IncomingMessage, Admitted>();

/**
 * Stands in the way of a ws server's `handleUpgrade`: nothing is answered with a 101, and no handler sees a socket,
 * before the inner door has let it pass. Works on the server that @fastify/websocket, express-ws and koa-websocket
 * make for themselves.
 */
export function gate(wss: WebSocketServer, options: GateOptions): void {
  if (gated.has(wss)) throw new TypeError('This WebSocket server has a guard already.');
  gated.add(wss);
  const handleUpgrade = wss.handleUpgrade;
  wss.options.handleProtocols = agreedSubprotocol;
  wss.handleUpgrade = (request, socket, _head, accept) => {
    const upgrade = upgradeOf(request);
    if (upgrade === undefined) {
      refuse(socket, deny('internal', 'an upgrade went around the outer door'), options.guard);
      return;
    }
    passThrough(upgrade, options.target, wss, handleUpgrade, accept);
  };
}

/** For a ws server's `handleProtocols`: what the inner door has decided. */
export function agreedSubprotocol(_offered: unknown, request: IncomingMessage): string | false {
  return agreed.get(request)?.subprotocol ?? false;
}

/** The inner door, then the 101; whatever goes wrong on the way ends the socket. */
export function passThrough(
  upgrade: Upgrade,
  find: GateOptions['target'],
  wss: WebSocketServer,
  handleUpgrade: WebSocketServer['handleUpgrade'],
  accept: Accept,
): void {
  decide(upgrade, find)
    .then((decision) => decision && complete(upgrade, decision, wss, handleUpgrade, accept))
    .catch(() => upgrade.socket.destroy());
}

interface Decision {
  readonly admission: Admitted;
  readonly guard: AnyGuard;
}

async function decide(upgrade: Upgrade, find: GateOptions['target']): Promise<Decision | undefined> {
  let target: GateTarget | Denial;
  try {
    target = await find(upgrade.request);
  } catch {
    target = deny('internal', 'a fault while the route was looked up');
  }
  if ('denied' in target) {
    upgrade.refuse(upgrade.handshake.deny(target.at('route')));
    return undefined;
  }
  const { guard, native } = target;
  const verdict = guard.admit(upgrade.handshake, native);
  const result = isPromise(verdict) ? await verdict : verdict;
  if (result.denied) {
    upgrade.refuse(result, guard);
    return undefined;
  }
  return { admission: result, guard };
}

function complete(
  upgrade: Upgrade,
  { admission, guard }: Decision,
  wss: WebSocketServer,
  handleUpgrade: WebSocketServer['handleUpgrade'],
  accept: Accept,
): void {
  const { request, socket } = upgrade;
  if (upgrade.done) {
    admission.release();
    return;
  }
  const head = upgrade.takeOver();
  // Until ws has the socket, its end gives the slots back; from then on the connection does.
  const release = (): void => admission.release();
  socket.once('close', release);
  agreed.set(request, admission);
  applyLimits(wss, admission, guard);
  try {
    handleUpgrade.call(wss, request, socket, head, (ws: WebSocket) => {
      upgrade.upgraded();
      socket.off('close', release);
      const connection = guardSocket(ws, admission, guard);
      try {
        accept(ws, request);
      } catch (error) {
        connection.fault(error);
      }
    });
  } catch {
    socket.destroy();
  }
  socket.resume();
}

/** The policy's limits win over whatever the ws server was made with; ws reads them as it upgrades. */
function applyLimits(wss: WebSocketServer, { maxMessageBytes }: Admitted, guard: AnyGuard): void {
  const { compression, closeTimeout } = guard.hostLimits;
  const options = wss.options as WebSocketServer['options'] & { closeTimeout?: number };
  options.maxPayload = maxMessageBytes;
  // What ws ends by itself, bad frames and the peer's own close, ends as soon; a silent peer would keep its slot for 30 s.
  options.closeTimeout = closeTimeout;
  options.perMessageDeflate = compression ? deflateOptions(wss) : false;
}

function deflateOptions(wss: WebSocketServer): object {
  const { perMessageDeflate } = wss.options;
  return typeof perMessageDeflate === 'object' ? perMessageDeflate : {};
}
