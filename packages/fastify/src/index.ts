import type { AnyGuard } from '@sallyport/core';
import { connectionOf } from '@sallyport/ws';
import fastifyPlugin from 'fastify-plugin';
import { guardApplication } from './plugin.ts';

// Here, in the entry itself: an augmentation that is only imported for its side effect is dropped from the `.d.ts`.
declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * Who decides about this WebSocket route: a guard that was made with `guard.extend` from the application's, or
     * `'public'` for nobody (the outer door stands before it all the same). Default: the plugin's `guard`.
     */
    guard?: AnyGuard | 'public';
  }
}

export type { SallyportOptions } from './options.ts';
export { connectionOf };

const meta = { fastify: '5.x', name: '@sallyport/fastify' };

/**
 * Stands before the WebSocket routes of @fastify/websocket. Register it beside that plugin, before or after it, and
 * before any route.
 *
 * @throws PolicyError at start-up for a WebSocket route that has no guard and is not public by name.
 */
export const sallyport = Object.assign(fastifyPlugin(guardApplication, meta), { connectionOf });

// What `require` returns, as from any other Fastify plugin.
const required = Object.assign(sallyport, { sallyport });

export { required as 'module.exports', sallyport as default };
