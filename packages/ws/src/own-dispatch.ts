import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { type AnyGuard, type Connection, type Guard, type Identity, PolicyError } from '@sallyport/core';
import { deny, isPromise, refusalOf } from '@sallyport/core/host';
import { type WebSocket, WebSocketServer } from 'ws';
import { bypassRefusal } from './bypass.ts';
import { passThrough } from './gate.ts';
import { standBefore } from './gatehouse.ts';
import type { GuardServerOptions } from './guard-server.ts';
import { connectionOf } from './guarded-socket.ts';
import { type Upgrade, upgradeOf } from './upgrade.ts';
import { responseTo, UpgradeResponse } from './upgrade-response.ts';

/** An application as node:http calls it. What it returns is looked at only when it is a promise that rejects. */
export type RunApplication = (request: IncomingMessage, response: ServerResponse) => unknown;

export type DispatchOptions = Pick<GuardServerOptions, 'otherUpgrades'>;

/**
 * Sends a server's upgrade requests through an application as if they were ordinary ones, so that its sessions and
 * routes work and its refusals are true HTTP responses. A route accepts with `acceptUpgrade`; whatever else answers
 * below 400, or with 404, is no WebSocket route and is refused with `route_unknown`. With `otherUpgrades: 'public'`
 * what the application answers with 404 is left to the server's other upgrade listeners.
 */
export function dispatchUpgrades(
  server: Server,
  guard: AnyGuard,
  run: RunApplication,
  options: DispatchOptions = {},
): void {
  const unknown = Object.keys(options).find((key) => key !== 'otherUpgrades');
  if (unknown !== undefined)
    throw new PolicyError(`upgrade(…, { ${unknown} })`, 'unknown option', "Use 'otherUpgrades'.");
  const gatehouse = standBefore(server, guard);
  if (options.otherUpgrades === 'public') gatehouse.others = 'public';
  gatehouse.own({
    everything: true,
    matches: () => true,
    accept: (upgrade) => dispatchUpgrade(upgrade, run, () => gatehouse.handOver(upgrade)),
  });
}

/**
 * The same for the ws server that a library has attached to an HTTP server: its own upgrade listener is never asked.
 *
 * @throws PolicyError for a ws server that listens on no HTTP server.
 */
export function dispatchInstead(wss: WebSocketServer, guard: AnyGuard, run: RunApplication): void {
  const server = wss.options.server as Server | undefined;
  if (server === undefined) {
    throw new PolicyError(
      'gate',
      'this WebSocket server is attached to no HTTP server',
      'Make it with a server.',
    );
  }
  standBefore(server, guard).others = 'replaced';
  dispatchUpgrades(server, guard, run);
}

/** One upgrade through an application, with a response of its own; `handOver` may take what it does not know. */
export function dispatchUpgrade(upgrade: Upgrade, run: RunApplication, handOver = () => false): void {
  const { request, handshake } = upgrade;
  const { url } = request;
  const answer = new UpgradeResponse(upgrade, (status) => {
    // The application may have changed it on its way.
    if (url !== undefined) request.url = url;
    if (status === 404 && handOver()) return;
    const denial = deny('route_unknown', `the application answered ${status}: not a WebSocket route`);
    upgrade.refuse(handshake.deny(denial.at('route')));
  });
  const fault = (error: unknown): void => {
    answer.withdraw();
    const denial = handshake.fault(error);
    if (!upgrade.done) upgrade.refuse(denial);
  };
  try {
    const result = run(request, answer.response);
    if (!isPromise(result)) return;
    result.then(undefined, fault);
    answer.returned = Promise.resolve(result).catch(() => {});
  } catch (error) {
    fault(error);
  }
}

export interface UpgradeTarget<I extends readonly Identity[], M, R> {
  readonly guard: Guard<I, M, R>;
  /** What the policy's hooks see as `request.native`. */
  readonly native: unknown;
  /** Makes the socket. Default: a ws server of the guard's own. */
  readonly server?: WebSocketServer;
  /**
   * Whether the response ends, with status 101, as the socket is accepted: middleware that waits for its headers (to
   * set a session's cookie) or its end (to save one, to log) does its work then. Default: `false`.
   */
  readonly endsResponse?: boolean;
  /**
   * Whether the 101 waits until the application has returned, for frameworks whose middleware goes on after its route,
   * to save a session and set its cookie. What it refuses then is true HTTP. Default: `false`.
   */
  readonly awaitsReturn?: boolean;
}

/** One ws server for all own dispatch: limits and subprotocols are set for each upgrade. */
let shared: WebSocketServer | undefined;

/**
 * Answers the request of a route that is a WebSocket: the inner door, the 101, then `handler`; a handler that throws
 * or rejects closes with `internal`. A request that is no upgrade gets 426. Resolves when that is decided; the cookies
 * that are set before the 101 go out on it.
 */
export async function acceptUpgrade<I extends readonly Identity[], M, R>(
  request: IncomingMessage,
  response: ServerResponse,
  target: UpgradeTarget<I, M, R>,
  handler: (connection: Connection<I[number], M, R>, socket: WebSocket) => unknown,
): Promise<void> {
  const upgrade = upgradeOf(request);
  const answer = responseTo(request);
  const bypass = bypassRefusal(request, target.guard);
  if (upgrade === undefined || answer === undefined || bypass !== undefined) {
    const { status, headers, body } = bypass ?? refusalOf(deny('version_unsupported', 'not an upgrade'));
    response.writeHead(status, headers);
    response.end(body);
    return;
  }
  const { guard } = target;
  answer.endsOnAccept = target.endsResponse ?? false;
  shared ??= new WebSocketServer({ noServer: true, clientTracking: false });
  const { server = shared } = target;
  const accept = (socket: WebSocket): void => {
    const connection = connectionOf(socket, guard);
    const result = handler(connection, socket);
    if (isPromise(result)) result.then(undefined, (error: unknown) => connection.fault(error));
  };
  // What the application does behind its route at once comes before the 101, cookies included.
  await undefined;
  await new Promise<void>((decided) => {
    const options = {
      target: () => target,
      beforeSwitching(): Promise<unknown> | undefined {
        if (!target.awaitsReturn) return undefined;
        decided();
        return answer.returned;
      },
    };
    const passed = passThrough(upgrade, options, server, server.handleUpgrade, accept);
    if (isPromise(passed)) passed.then(decided);
    else decided();
  });
}
