import type { Connection, Guard, Identity } from '@sallyport/core';
import { requireFunction, requireGuard } from '@sallyport/core/host';
import type { WebSocket } from '@sallyport/ws';
import { acceptUpgrade } from '@sallyport/ws/host';
import type { Context } from 'koa';
import type { KoaContext } from './koa-unguarded-refusal.ts';

/**
 * Middleware for a WebSocket route: `router.get('/chat', websocket(guard, (connection, ctx) => …))`. It runs the guard's inner
 * door, sends the 101, then calls `handler`. The policy's hooks see the Koa context as `request.native`, with what earlier
 * middleware has added to it. That middleware continues after its `await next()` when the handshake is decided, and the 101
 * waits for it: sessions are saved, and cookies that are set by then are sent with the 101. A session that changes later must
 * be saved explicitly.
 *
 * A handler that throws or rejects closes the connection with `internal`. A request that is no upgrade gets 426. A
 * handshake that lacks `Connection: Upgrade` or `Upgrade: websocket`, which a proxy may have removed, gets 400 and is told so.
 *
 * @throws PolicyError for an argument that is none.
 *
 * @example
 * ```ts
 * import Router from '@koa/router';
 * import { websocket } from '@sallyport/koa';
 * import { guard } from './policy.ts';
 *
 * export const router = new Router();
 * router.get(
 *   '/chat',
 *   websocket(guard, (chat, ctx) => {
 *     chat.on('say', ({ text }) => chat.send('said', { text, from: ctx.ip }));
 *   }),
 * );
 * ```
 */
export function websocket<
  I extends readonly Identity[],
  M,
  R,
  C extends Pick<KoaContext, 'req' | 'res'> = Context,
>(
  guard: Guard<I, M, R>,
  handler: (connection: Connection<I[number], M, R>, ctx: C, socket: WebSocket) => unknown,
): (ctx: C) => Promise<void> {
  requireGuard(guard, 'websocket(guard, …)');
  requireFunction(handler, 'websocket(…, handler)', 'Give (connection, ctx) => { … }.');
  return (ctx) => {
    (ctx as { respond?: boolean }).respond = false;
    return acceptUpgrade(ctx.req, ctx.res, { guard, native: ctx, awaitsReturn: true }, (connection, socket) =>
      handler(connection, ctx, socket),
    );
  };
}
