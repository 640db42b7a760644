import type { IncomingMessage } from 'node:http';
import { type Admission, type AnyGuard, type Denial, type Identity, isPromise } from '@sallyport/core';
import type { WebSocket, WebSocketServer } from 'ws';
import { bypassDenial } from './bypass.ts';
import { guardSocket } from './guarded-socket.ts';
import { limitedServer } from './limited-server.ts';
import { refuse } from './refuse.ts';
import { type Upgrade, upgradeOf } from './upgrade.ts';
import { sendCookies } from './upgrade-response.ts';

type Admitted = Admission<Identity, unknown, unknown>;
type Accept = (socket: WebSocket, request: IncomingMessage) => void;

/** Which guard decides, and what its hooks get to see of the host's request. */
export interface GateTarget {
  readonly guard: AnyGuard;
  readonly native: unknown;
}

/** A route that is public by name: only the outer door stands before it. */
export interface PublicTarget {
  readonly public: true;
}

type Found = GateTarget | PublicTarget | Denial;

/** What a host has to say about each upgrade. */
export interface Passage {
  /** Asked for each upgrade, before the inner door; a denial refuses it. */
  readonly target: (request: IncomingMessage) => Found | Promise<Found>;
  /**
   * Called once the inner door has let an upgrade pass: what the host's application still does about a response, such
   * as saving a session and setting its cookie. The 101 waits for it, for at most `limits.closeTimeout`; a rejection
   * refuses with `internal`. Default: nothing.
   */
  readonly beforeSwitching?: (request: IncomingMessage) => unknown;
}

export interface GateOptions extends Passage {
  /** Used where there is no better one: to refuse an upgrade that went around the outer door. */
  readonly guard: AnyGuard;
}

const gated = new WeakSet<WebSocketServer>();

/**
 * Stands in the way of a ws server's `handleUpgrade`: nothing is answered with a 101, and no handler sees a socket,
 * before the inner door has let it pass. Works on the server that @fastify/websocket, express-ws and koa-websocket
 * make for themselves.
 */
export function gate(wss: WebSocketServer, options: GateOptions): void {
  if (gated.has(wss)) throw new TypeError('This WebSocket server has a guard already.');
  gated.add(wss);
  const { handleUpgrade } = wss;
  wss.handleUpgrade = (request, socket, _head, accept) => {
    const upgrade = upgradeOf(request);
    if (upgrade === undefined) {
      refuse(socket, bypassDenial(request, options.guard), options.guard);
      return;
    }
    void passThrough(upgrade, options, wss, handleUpgrade, accept);
  };
}

/** The inner door, then the 101; whatever goes wrong on the way ends the socket. */
export function passThrough(
  upgrade: Upgrade,
  passage: Passage,
  wss: WebSocketServer,
  handleUpgrade: WebSocketServer['handleUpgrade'],
  accept: Accept,
): Promise<void> {
  sendCookies(wss);
  return decide(upgrade, passage.target)
    .then(async (decision) => {
      if (decision === undefined) return;
      await prepare(upgrade, passage);
      complete(upgrade, decision, wss, handleUpgrade, accept);
    })
    .catch((error) => abort(upgrade, error));
}

/** Lets the host's application finish its side of the response: it may refuse after all, and is not waited for forever. */
async function prepare(upgrade: Upgrade, { beforeSwitching }: Passage): Promise<void> {
  const { guard, request, socket } = upgrade;
  let stopWaiting = (): void => {};
  try {
    const work = beforeSwitching?.(request);
    if (!isPromise(work)) return;
    const noLonger = new Promise<void>((resolve, reject) => {
      const cancel = guard.schedule(guard.hostLimits.closeTimeout, () =>
        reject(new Error('the application did not finish its response to an upgrade in time')),
      );
      socket.once('close', resolve);
      stopWaiting = () => {
        cancel();
        socket.off('close', resolve);
      };
    });
    await Promise.race([work, noLonger]);
  } catch (error) {
    upgrade.refuse(upgrade.handshake.fault(error));
  } finally {
    stopWaiting();
  }
}

/** Too late for a refusal, since part of the 101 may be out. */
function abort(upgrade: Upgrade, error: unknown): void {
  upgrade.handshake.fault(error);
  upgrade.socket.destroy();
}

interface Decision {
  readonly admission: Admitted;
  readonly guard: AnyGuard;
}

async function decide(
  upgrade: Upgrade,
  find: GateOptions['target'],
): Promise<Decision | PublicTarget | undefined> {
  let target: Found;
  try {
    target = await find(upgrade.request);
  } catch (error) {
    upgrade.refuse(upgrade.handshake.fault(error));
    return undefined;
  }
  if ('denied' in target) {
    upgrade.refuse(upgrade.handshake.deny(target.at('route')));
    return undefined;
  }
  if ('public' in target) return target;
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
  decision: Decision | PublicTarget,
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
  if (admission === undefined) upgrade.handshake.abandon();
  // Until ws has the socket, its end gives the slots back; from then on the connection does.
  const release = (): void => admission?.release();
  socket.once('close', release);
  const server = 'public' in decision ? wss : limitedServer(wss, decision.admission, decision.guard);
  try {
    handleUpgrade.call(server, request, socket, head, (ws: WebSocket) => {
      upgrade.upgraded();
      socket.off('close', release);
      // Before the handler, which may pause it.
      socket.resume();
      if ('public' in decision) welcome(ws, request, accept);
      else welcomeGuarded(ws, upgrade, accept, decision);
    });
  } catch (error) {
    abort(upgrade, error);
  }
}

/** A handler of a public route answers for itself; what must not happen is that one bad frame ends the process. */
function welcome(ws: WebSocket, request: IncomingMessage, accept: Accept): void {
  ws.on('error', ignore);
  try {
    accept(ws, request);
  } catch {
    ws.terminate();
  }
}

function welcomeGuarded(
  ws: WebSocket,
  { request, socket }: Upgrade,
  accept: Accept,
  { admission, guard }: Decision,
): void {
  // ws tells of whole messages only, and of none as long as it gets fragments.
  const count = (chunk: Buffer): void => receiver.received?.(chunk.length);
  if (admission.identity === undefined) socket.on('data', count);
  const receiver = guardSocket(ws, admission, guard, (connection) => {
    socket.off('data', count);
    try {
      accept(ws, request);
    } catch (error) {
      connection.fault(error);
    }
  });
}

function ignore(): void {}
