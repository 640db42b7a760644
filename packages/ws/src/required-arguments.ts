import type { Server } from 'node:http';
import { PolicyError } from '@sallyport/core';
import type { WebSocketServer } from 'ws';

type Methods = Readonly<Record<string, unknown>>;

/**
 * Checks that a user has passed a server of node:http or node:https. `option` names the argument: `upgrade(server, …)`.
 *
 * @throws PolicyError for anything else, and for a server of node:http2.
 */
export function requireHttpServer(server: Server, option: string): void {
  if (has(server, 'updateSettings', 'setTimeout'))
    throw new PolicyError(
      option,
      'it is a server of node:http2, and HTTP/2 has no upgrade requests',
      'Serve WebSockets over HTTP/1.1, by a server of node:http or node:https.',
    );
  if (has(server, 'on', 'emit', 'listeners', 'address', 'closeAllConnections')) return;
  throw new PolicyError(
    option,
    'it is not an HTTP server',
    'Give what createServer() of node:http or node:https, or app.listen(), returns.',
  );
}

/** @throws PolicyError for anything but a ws server. */
export function requireWebSocketServer(wss: WebSocketServer, option: string): void {
  const { options } = (wss ?? {}) as { readonly options?: unknown };
  if (has(wss, 'on', 'emit', 'handleUpgrade') && typeof options === 'object' && options !== null) return;
  throw new PolicyError(
    option,
    'it is not a WebSocket server',
    'Make one with new WebSocketServer({ noServer: true }) of ws.',
  );
}

/** Structural, because application and adapter may load two copies of a library. */
function has(value: unknown, ...methods: string[]): boolean {
  const isObject = typeof value === 'object' && value !== null;
  return isObject && methods.every((name) => typeof (value as Methods)[name] === 'function');
}
