import type { Connection, Guard, Identity } from '@sallyport/core';
import type { WebSocket } from '@sallyport/ws';
import { acceptUpgrade } from '@sallyport/ws/host';
import type { Context } from 'koa';
import type { KoaContext } from './sallyport.ts';

/**
 * Middleware for a WebSocket route: `router.get('/chat', websocket(guard, (connection, ctx) => …))`. It runs the guard's
 * inner door, then the handler; the policy's hooks see the Koa context as `request.native`, with what the middleware
 * before it has put there. That middleware goes on once the handshake is decided, and the 101 waits for it: sessions are
 * saved, and the cookies that are set by then go out with it. What is changed later, a session say, has to be saved by
 * hand.
 *
 * A handler that throws or rejects closes the connection with `internal`. An ordinary request is answered with 426.
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
  return (ctx) => {
    (ctx as { respond?: boolean }).respond = false;
    return acceptUpgrade(ctx.req, ctx.res, { guard, native: ctx, awaitsReturn: true }, (connection, socket) =>
      handler(connection, ctx, socket),
    );
  };
}
