import type { IncomingMessage, Server } from 'node:http';
import { type AnyGuard, PolicyError } from '@sallyport/core';
import type { WebSocket, WebSocketServer } from 'ws';
import { announce } from './announce.ts';
import { gate } from './gate.ts';
import { standBefore } from './gatehouse.ts';
import { connectionOf } from './guarded-socket.ts';

export interface GuardServerOptions {
  /** The path that this WebSocket server answers, exactly, or a function that says which. Default: every path that no earlier one has. */
  readonly path?: string | ((path: string) => boolean);
  /**
   * `'public'` lets other `upgrade` listeners of the HTTP server answer the paths that are not guarded, behind the
   * outer door only. Default: such listeners stop the start-up, and unknown paths are refused with `route_unknown`.
   */
  readonly otherUpgrades?: 'public';
}

/**
 * Guards a `ws` server made with `noServer: true` on a `node:http` or `node:https` server. `wss.on('connection')`
 * handlers stay as they are and run only for admitted sockets; several guarded servers share one HTTP server by path.
 *
 * @throws PolicyError for a ws server that answers upgrades by itself, and for a second family of guards on one server.
 */
export function guardServer(
  server: Server,
  wss: WebSocketServer,
  guard: AnyGuard,
  options: GuardServerOptions = {},
): void {
  const unknown = Object.keys(options).find((key) => key !== 'path' && key !== 'otherUpgrades');
  if (unknown !== undefined) {
    throw new PolicyError(
      `guardServer(…, { ${unknown} })`,
      'unknown option',
      "Use 'path' and 'otherUpgrades'.",
    );
  }
  if (wss.options.noServer !== true) {
    throw new PolicyError(
      'guardServer',
      'this WebSocket server answers upgrades itself',
      'Make it with { noServer: true }.',
    );
  }
  const { path } = options;
  const gatehouse = standBefore(server, guard);
  if (options.otherUpgrades === 'public') gatehouse.others = 'public';
  gate(wss, { guard, target: (request) => ({ guard, native: request }) });
  const accepted = (socket: WebSocket, request: IncomingMessage): void =>
    announce(wss, socket, request, connectionOf(socket, guard));
  gatehouse.own({
    everything: path === undefined,
    matches: path === undefined ? () => true : typeof path === 'string' ? (asked) => asked === path : path,
    accept: ({ request, socket }) => wss.handleUpgrade(request, socket, Buffer.alloc(0), accepted),
  });
}
