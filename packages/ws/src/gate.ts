import type { IncomingMessage } from 'node:http';
import type { AnyGuard, Identity, MaybePromise } from '@sallyport/core';
import { type Admission, type Denial, isPromise } from '@sallyport/core/host';
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

/**
 * The inner door, then the 101; whatever goes wrong on the way ends the socket. All of it at once where nothing has to be
 * waited for: else a promise, which never rejects.
 */
export function passThrough(
  upgrade: Upgrade,
  passage: Passage,
  wss: WebSocketServer,
  handleUpgrade: WebSocketServer['handleUpgrade'],
  accept: Accept,
): MaybePromise<void> {
  sendCookies(wss);
  const proceed = (decision: Decision | undefined): MaybePromise<void> => {
    if (decision === undefined) return;
    const prepared = prepare(upgrade, passage);
    if (isPromise(prepared))
      return prepared.then(() => complete(upgrade, decision, wss, handleUpgrade, accept));
    complete(upgrade, decision, wss, handleUpgrade, accept);
  };
  try {
    const decision = decide(upgrade, passage.target);
    const passed = isPromise(decision) ? decision.then(proceed) : proceed(decision);
    return isPromise(passed) ? passed.catch((error) => abort(upgrade, error)) : passed;
  } catch (error) {
    abort(upgrade, error);
  }
}

/** Lets the host's application finish its side of the response: it may refuse after all, and is not waited for forever. */
function prepare(upgrade: Upgrade, { beforeSwitching }: Passage): MaybePromise<void> {
  try {
    const work = beforeSwitching?.(upgrade.request);
    if (isPromise(work)) return inTime(upgrade, work).catch((error) => fault(upgrade, error));
  } catch (error) {
    fault(upgrade, error);
  }
}

async function inTime({ guard, socket }: Upgrade, work: Promise<unknown>): Promise<void> {
  let stopWaiting = (): void => {};
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
  try {
    await Promise.race([work, noLonger]);
  } finally {
    stopWaiting();
  }
}

/** Something on the host's side threw before anything was sent. */
function fault(upgrade: Upgrade, error: unknown): undefined {
  upgrade.refuse(upgrade.handshake.fault(error));
}

/** Too late for a refusal, since part of the 101 may be out. */
function abort(upgrade: Upgrade, error: unknown): void {
  upgrade.handshake.fault(error);
  upgrade.socket.destroy();
}

interface Admittance {
  readonly admission: Admitted;
  readonly guard: AnyGuard;
}

type Decision = Admittance | PublicTarget;

function decide(upgrade: Upgrade, find: Passage['target']): MaybePromise<Decision | undefined> {
  let found: MaybePromise<Found>;
  try {
    found = find(upgrade.request);
  } catch (error) {
    return fault(upgrade, error);
  }
  if (!isPromise(found)) return ask(upgrade, found);
  return found.then(
    (target) => ask(upgrade, target),
    (error) => fault(upgrade, error),
  );
}

function ask(upgrade: Upgrade, target: Found): MaybePromise<Decision | undefined> {
  if ('denied' in target) {
    upgrade.refuse(upgrade.handshake.deny(target.at('route')));
    return undefined;
  }
  if ('public' in target) return target;
  const { guard, native } = target;
  const settle = (result: Denial | Admitted): Decision | undefined => {
    if (!result.denied) return { admission: result, guard };
    upgrade.refuse(result, guard);
    return undefined;
  };
  const verdict = guard.admit(upgrade.handshake, native);
  return isPromise(verdict) ? verdict.then(settle) : settle(verdict);
}

function complete(
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
  if (admission === undefined) upgrade.handshake.abandon();
  const server = 'public' in decision ? wss : limitedServer(wss, decision.admission, decision.guard);
  // Until ws has the socket, its end gives the slots back; from then on the connection does.
  let upgraded = false;
  let isAwaited = false;
  const release = (): void => admission?.release();
  try {
    handleUpgrade.call(server, request, socket, head, (ws: WebSocket) => {
      upgraded = true;
      upgrade.upgraded();
      if (isAwaited) socket.off('close', release);
      if ('public' in decision) welcome(ws, request, accept);
      else welcomeGuarded(ws, upgrade, accept, decision);
    });
  } catch (error) {
    abort(upgrade, error);
  }
  // It has refused after all, or asks somebody, and answers later.
  if (upgraded) return;
  upgrade.harden();
  isAwaited = true;
  if (socket.closed) release();
  else socket.once('close', release);
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
  { admission, guard }: Admittance,
): void {
  const isPending = admission.identity === undefined;
  // ws tells of whole messages only, and of none as long as it gets fragments.
  const count = (chunk: Buffer): void => receiver.received?.(chunk.length);
  if (isPending) socket.on('data', count);
  const receiver = guardSocket(ws, admission, guard, (connection) => {
    if (isPending) socket.off('data', count);
    try {
      accept(ws, request);
    } catch (error) {
      connection.fault(error);
    }
  });
}

function ignore(): void {}
