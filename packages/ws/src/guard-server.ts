import type { IncomingMessage, Server } from 'node:http';
import { type AnyGuard, PolicyError } from '@sallyport/core';
import { oneOf, refuseUnknown, requireGuard } from '@sallyport/core/host';
import type { WebSocket, WebSocketServer } from 'ws';
import { emitConnection } from './connection-event.ts';
import { matchPath } from './exact-path.ts';
import { connectionOf } from './guarded-socket.ts';
import { refuseReplacedOptions } from './replaced-options.ts';
import { requireHttpServer, requireWebSocketServer } from './required-arguments.ts';
import { interceptUpgrades } from './upgrade-interceptor.ts';
import { gate } from './ws-server-gate.ts';

/** Options of `guardServer()`. */
export interface GuardServerOptions {
  /**
   * The path that this WebSocket server answers, compared exactly and without the query, or a function that tells for each
   * path whether it does. `'/chat'` does not match `/chat/`. Default: every path that no WebSocket server guarded earlier answers.
   */
  readonly path?: string | ((path: string) => boolean);
  /**
   * `'public'` lets other `upgrade` listeners of the HTTP server answer the paths that are not guarded, behind the outer
   * door only, if they ask for a WebSocket. Default: such listeners throw at start-up, and unknown paths are refused with
   * `route_unknown` (404). Upgrades to another protocol are ordinary requests for the application, always.
   */
  readonly otherUpgrades?: 'public';
}

/**
 * Guards a `ws` server, made with `noServer: true`, on a `node:http` or `node:https` server. Its `connection` listeners stay
 * as they are, and run only for admitted sockets. Several guarded ws servers share one HTTP server by path; their guards
 * must be of one family.
 *
 * @throws PolicyError for an argument or option that is none, for a `path` that no client can ask for, for a ws server that answers upgrades itself, or has options that the policy replaces, for a second family of guards
 * on one HTTP server, for a path that an earlier ws server answers, and for `upgrade` listeners without a guard.
 *
 * @example
 * ```ts
 * import { createServer } from 'node:http';
 * import { connectionOf, guardServer } from '@sallyport/ws';
 * import { WebSocketServer } from 'ws';
 * import { guard } from './policy.ts';
 *
 * const server = createServer();
 * const wss = new WebSocketServer({ noServer: true });
 * guardServer(server, wss, guard, { path: '/chat' });
 * wss.on('connection', (socket) => {
 *   connectionOf(socket, guard).on('say', ({ text }) => console.log(text));
 * });
 * server.listen(3000);
 * ```
 */
export function guardServer(
  server: Server,
  wss: WebSocketServer,
  guard: AnyGuard,
  options: GuardServerOptions = {},
): void {
  refuseUnknown(options, ['path', 'otherUpgrades'], 'guardServer(…)');
  requireHttpServer(server, 'guardServer(server, …)');
  requireWebSocketServer(wss, 'guardServer(…, wss, …)');
  requireGuard(guard, 'guardServer(…, guard)');
  oneOf(options.otherUpgrades, ['public'], 'guardServer(…, { otherUpgrades })');
  if (wss.options.noServer !== true) {
    throw new PolicyError(
      'guardServer',
      'this WebSocket server answers upgrades itself',
      'Make it with { noServer: true }.',
    );
  }
  refuseReplacedOptions(wss, guard, 'guardServer(…, wss, …)');
  const { path } = options;
  const matches = path === undefined ? () => true : matchPath(path, 'guardServer(…, { path })');
  const interceptor = interceptUpgrades(server, guard);
  if (options.otherUpgrades === 'public') interceptor.otherUpgrades = 'public';
  gate(wss, { guard, route: (request) => ({ guard, native: request }) });
  const accepted = (socket: WebSocket, request: IncomingMessage): void =>
    emitConnection(wss, socket, request, connectionOf(socket, guard));
  interceptor.addHandler({
    matchesAll: path === undefined,
    matches,
    accept: ({ request, socket }) => wss.handleUpgrade(request, socket, Buffer.alloc(0), accepted),
  });
}
