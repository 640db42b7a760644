import type { AnyGuard } from '@sallyport/core';
import { connectionOf } from '@sallyport/ws';
import fastifyPlugin from 'fastify-plugin';
import { guardApplication } from './sallyport-plugin.ts';

// In the entry itself, because an augmentation in an imported file would be missing from the entry's `.d.ts`.
declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * The guard of this WebSocket route, made with `guard.extend` from the application's, or `'public'` for none. A public
     * route still has the server's outer door. Default: the plugin's `guard`.
     */
    guard?: AnyGuard | 'public';
  }
}

export type { SallyportOptions } from './plugin-options.ts';
export { connectionOf };

const meta = { fastify: '5.x', name: '@sallyport/fastify' };

/**
 * Fastify plugin that guards the WebSocket routes of @fastify/websocket. Register it in the same scope as that plugin, before
 * or after it, and before any route: `await app.register(sallyport, { guard })`. Handlers stay as they are;
 * `connectionOf(socket, guard)` gives the typed connection of a socket.
 *
 * @throws PolicyError at start-up for an unknown option, for a WebSocket route that has neither a guard nor
 * `config: { guard: 'public' }`, and for a set-up in which a route could be reached without its guard.
 *
 * @example
 * ```ts
 * import websocket from '@fastify/websocket';
 * import { connectionOf, sallyport } from '@sallyport/fastify';
 * import Fastify from 'fastify';
 * import { guard } from './policy.ts';
 *
 * const app = Fastify({ logger: true });
 * await app.register(websocket);
 * await app.register(sallyport, { guard });
 * app.get('/chat', { websocket: true }, (socket) => {
 *   connectionOf(socket, guard).on('say', ({ text }) => app.log.info(text));
 * });
 * await app.listen({ port: 3000 });
 * ```
 */
export const sallyport = Object.assign(fastifyPlugin(guardApplication, meta), { connectionOf });

// The result of `require`, which is the plugin itself as with any other Fastify plugin.
const required = Object.assign(sallyport, { sallyport });

export { required as 'module.exports', sallyport as default };
