import { type IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import {
  type AnyGuard,
  type Connection,
  deny,
  type Guard,
  type Identity,
  isPromise,
  refusalOf,
} from '@sallyport/core';
import { type WebSocket, WebSocketServer } from 'ws';
import { passThrough } from './gate.ts';
import { standBefore } from './gatehouse.ts';
import type { GuardServerOptions } from './guard-server.ts';
import { connectionOf } from './guarded-socket.ts';
import { type Upgrade, upgradeOf } from './upgrade.ts';

/** An application as node:http calls it. */
export type RunApplication = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * Sends a server's upgrade requests through an application as if they were ordinary ones, so that its sessions and
 * routes work and its refusals are true HTTP responses. A route accepts with `acceptUpgrade`; whatever else answers
 * below 400, or not at all, is no WebSocket route and is refused with `route_unknown`.
 */
export function dispatchUpgrades(
  server: Server,
  guard: AnyGuard,
  run: RunApplication,
  options: Pick<GuardServerOptions, 'otherUpgrades'> = {},
): void {
  const gatehouse = standBefore(server, guard);
  if (options.otherUpgrades === 'public') gatehouse.others = 'public';
  gatehouse.own({
    matches: () => true,
    accept: (upgrade) => dispatchUpgrade(upgrade, run),
  });
}

/** One upgrade through an application, with a response of its own. */
export function dispatchUpgrade(upgrade: Upgrade, run: RunApplication): void {
  const response = new UpgradeResponse(upgrade);
  try {
    run(upgrade.request, response);
  } catch {
    response.withdraw();
    upgrade.refuse(upgrade.handshake.deny(deny('internal', 'the application threw').at('route')));
  }
}

/** One ws server for all own dispatch: limits and subprotocols are set for each upgrade. */
let shared: WebSocketServer | undefined;

/**
 * Answers the request of a route that is a WebSocket: the inner door, the 101, then `handler`; a handler that throws
 * or rejects closes with `internal`. A request that is no upgrade gets 426.
 */
export function acceptUpgrade<I extends readonly Identity[], M, R>(
  request: IncomingMessage,
  response: ServerResponse,
  target: { readonly guard: Guard<I, M, R>; readonly native: unknown },
  handler: (connection: Connection<I[number], M, R>, socket: WebSocket) => unknown,
): void {
  const upgrade = upgradeOf(request);
  if (upgrade === undefined || !(response instanceof UpgradeResponse)) {
    const { status, headers, body } = refusalOf(deny('version_unsupported', 'not an upgrade'));
    response.writeHead(status, headers).end(body);
    return;
  }
  shared ??= new WebSocketServer({ noServer: true, clientTracking: false });
  passThrough(
    upgrade,
    () => target,
    shared,
    shared.handleUpgrade,
    (socket) => {
      response.withdraw();
      const connection = connectionOf(socket, target.guard);
      const result = handler(connection, socket);
      if (isPromise(result)) result.catch((error) => connection.fault(error));
    },
  );
}

/** The response that an application sees during an upgrade: real from 400 on, except for 404; refused otherwise. */
class UpgradeResponse extends ServerResponse {
  readonly #upgrade: Upgrade;

  constructor(upgrade: Upgrade) {
    super(upgrade.request);
    this.#upgrade = upgrade;
    this.shouldKeepAlive = false;
    // Writes that come after the socket was taken away are nobody's problem.
    this.on('error', ignore);
    this.on('finish', () => upgrade.socket.end(() => upgrade.socket.destroy()));
    this.assignSocket(upgrade.socket as Socket);
  }

  /** Takes the socket away from the application, which may go on writing into nothing. */
  withdraw(): void {
    if (this.socket !== null) this.detachSocket(this.socket);
    this.destroy();
  }

  override writeHead(...args: unknown[]): this {
    const status = args[0] as number;
    if (this.#upgrade.done || status < 400 || status === 404) {
      this.withdraw();
      const denial = deny('route_unknown', `the application answered ${status}: not a WebSocket route`).at(
        'route',
      );
      this.#upgrade.refuse(this.#upgrade.handshake.deny(denial));
      return this;
    }
    this.#upgrade.answered();
    return super.writeHead(...(args as [number]));
  }

  // Informational responses (1xx) would be bytes before the decision.
  override writeContinue(): void {}
  override writeProcessing(): void {}
  override writeEarlyHints(): void {}
}

function ignore(): void {}
