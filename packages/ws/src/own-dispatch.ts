import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { type AnyGuard, type Connection, type Guard, type Identity, PolicyError } from '@sallyport/core';
import {
  deny,
  isPromise,
  oneOf,
  receiverOf,
  refusalOf,
  refuseUnknown,
  requireFunction,
  requireGuard,
} from '@sallyport/core/host';
import { type WebSocket, WebSocketServer } from 'ws';
import type { GuardServerOptions } from './guard-server.ts';
import { connectionOf } from './guarded-socket.ts';
import { refuseReplacedOptions } from './replaced-options.ts';
import { requireHttpServer } from './required-arguments.ts';
import { incompleteRefusal, unguardedRefusal } from './unguarded-upgrade.ts';
import { type Upgrade, upgradeOf } from './upgrade.ts';
import { interceptUpgrades } from './upgrade-interceptor.ts';
import { responseTo, UpgradeResponse } from './upgrade-response.ts';
import { switchIfAdmitted } from './upgrade-switch.ts';

/** An application, as node:http calls it. Its result is ignored, unless it is a promise: a rejection refuses with `internal`. */
export type RunApplication = (request: IncomingMessage, response: ServerResponse) => unknown;

/** Options of own dispatch. */
export type DispatchOptions = Pick<GuardServerOptions, 'otherUpgrades'>;

/**
 * Sends a server's upgrade requests through an application as if they were ordinary requests, so that its sessions and
 * routes work and its refusals are true HTTP responses. A route accepts with `acceptUpgrade`. Any other response below
 * 400, and a 404, means that there is no WebSocket route: it is replaced by `route_unknown`. With `otherUpgrades: 'public'`,
 * upgrades that the application answers with 404 are passed to the server's other `upgrade` listeners.
 *
 * @throws PolicyError for an argument or option that is none, and for a server that has a guard of another family, or `upgrade` listeners
 * without a guard.
 */
export function dispatchUpgrades(
  server: Server,
  guard: AnyGuard,
  run: RunApplication,
  options: DispatchOptions = {},
): void {
  requireHttpServer(server, 'upgrade(server, …)');
  requireFunction(run, 'upgrade(…, app, …)', 'Give the application: upgrade(server, app, guard).');
  requireGuard(guard, 'upgrade(…, guard)');
  refuseUnknown(options, ['otherUpgrades'], 'upgrade(…)');
  oneOf(options.otherUpgrades, ['public'], 'upgrade(…, { otherUpgrades })');
  const interceptor = interceptUpgrades(server, guard);
  if (options.otherUpgrades === 'public') interceptor.otherUpgrades = 'public';
  interceptor.addHandler({
    matchesAll: true,
    matches: () => true,
    accept: (upgrade) => dispatchUpgrade(upgrade, run, () => interceptor.passToOtherListeners(upgrade)),
  });
}

/**
 * `dispatchUpgrades` for the HTTP server that a library has attached a ws server to. The library's own `upgrade` listener
 * stays there and is never called.
 *
 * @throws PolicyError for a ws server that is attached to no HTTP server.
 */
export function dispatchInsteadOf(wss: WebSocketServer, guard: AnyGuard, run: RunApplication): void {
  const server = wss.options.server as Server | undefined;
  if (server === undefined) {
    throw new PolicyError(
      'gate',
      'this WebSocket server is attached to no HTTP server',
      'Make it with a server.',
    );
  }
  refuseReplacedOptions(wss, guard, 'gate(…)');
  interceptUpgrades(server, guard).otherUpgrades = 'replaced';
  dispatchUpgrades(server, guard, run);
}

/**
 * Sends one upgrade through an application, with a response of its own. For an upgrade that the application answers with
 * 404, `passOn` is asked whether it has passed the upgrade to something else. Default: it has not.
 */
export function dispatchUpgrade(upgrade: Upgrade, run: RunApplication, passOn = () => false): void {
  const { request, handshake } = upgrade;
  const { url } = request;
  const answer = new UpgradeResponse(upgrade, (status) => {
    // Routers and mounted applications may have changed it.
    if (url !== undefined) request.url = url;
    if (status === 404 && passOn()) return;
    const denial = deny('route_unknown', `the application answered ${status}: not a WebSocket route`);
    upgrade.refuse(handshake.deny(denial.at('route')));
  });
  const fault = (error: unknown): void => {
    answer.detach();
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

/** How `acceptUpgrade` accepts an upgrade: which guard decides, and what the host still does before the 101. */
export interface AcceptOptions<I extends readonly Identity[], M, R> {
  /** The guard whose inner door decides. */
  readonly guard: Guard<I, M, R>;
  /** What the policy's hooks see as `request.native`. */
  readonly native: unknown;
  /** The ws server that accepts. Default: one that all routes share. */
  readonly server?: WebSocketServer;
  /**
   * Whether the response ends, with status 101, when the socket is accepted: then middleware that waits for the headers (to
   * set a session's cookie) or for the end (to save the session, to log) does its work. Default: `false`.
   */
  readonly endsResponse?: boolean;
  /**
   * Whether the 101 waits until the application has returned, for frameworks whose middleware continues after the route
   * (to save a session and set its cookie) and may still refuse over HTTP. Default: `false`.
   */
  readonly awaitsReturn?: boolean;
}

const NO_UPGRADE = refusalOf(deny('version_unsupported', 'not an upgrade'));

/** Accepts for all routes without a ws server of their own. Limits and subprotocols are set for each upgrade. */
let shared: WebSocketServer | undefined;

/**
 * Answers the request of a WebSocket route: runs the inner door, sends the 101, then calls `handler`. A handler that throws
 * or rejects closes the connection with `internal`. A request that is no upgrade gets 426, and a handshake that lacks
 * `Connection: Upgrade` or `Upgrade: websocket` gets 400. Cookies that are set before the
 * 101 are sent with it. Resolves when the handshake is decided.
 */
export async function acceptUpgrade<I extends readonly Identity[], M, R>(
  request: IncomingMessage,
  response: ServerResponse,
  options: AcceptOptions<I, M, R>,
  handler: (connection: Connection<I[number], M, R>, socket: WebSocket) => unknown,
): Promise<void> {
  const upgrade = upgradeOf(request);
  const answer = responseTo(request);
  const unguarded = unguardedRefusal(request, options.guard);
  if (upgrade === undefined || answer === undefined || unguarded !== undefined) {
    const refusal = unguarded ?? incompleteRefusal(request, options.guard) ?? NO_UPGRADE;
    const { status, headers, body } = refusal;
    response.writeHead(status, headers);
    response.end(body);
    return;
  }
  const { guard } = options;
  answer.endsOnAccept = options.endsResponse ?? false;
  shared ??= new WebSocketServer({ noServer: true, clientTracking: false });
  const { server = shared } = options;
  const accept = (socket: WebSocket): void => {
    const connection = connectionOf(socket, guard);
    const result = handler(connection, socket);
    if (isPromise(result)) result.then(undefined, (error: unknown) => receiverOf(connection).fault(error));
  };
  // What the application does right after its route comes before the 101, so that cookies it sets there are sent.
  await undefined;
  await new Promise<void>((decided) => {
    const hooks = {
      route: () => options,
      beforeSwitching(): Promise<unknown> | undefined {
        if (!options.awaitsReturn) return undefined;
        decided();
        return answer.returned;
      },
    };
    const switched = switchIfAdmitted(upgrade, hooks, server, server.handleUpgrade, accept);
    if (isPromise(switched)) switched.then(decided);
    else decided();
  });
}
