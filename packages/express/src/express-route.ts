import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Connection, Guard, Identity } from '@sallyport/core';
import { requireFunction, requireGuard } from '@sallyport/core/host';
import type { WebSocket } from '@sallyport/ws';
import { acceptUpgrade } from '@sallyport/ws/host';
import type { Request } from 'express';

/**
 * A route handler for a WebSocket, on applications and routers: `app.get('/chat', websocket(guard, (connection, request) =>
 * …))`. It runs the guard's inner door, sends the 101, then calls `handler`. The policy's hooks see the Express request as
 * `request.native`, with what earlier middleware has added to it. The response ends with status 101, so sessions are saved
 * and their cookies are sent with it; later changes need `request.session.save()`.
 *
 * A handler that throws or rejects closes the connection with `internal`. A request that is no upgrade gets 426. A
 * handshake that lacks `Connection: Upgrade` or `Upgrade: websocket`, which a proxy may have removed, gets 400 and is told so.
 *
 * @throws PolicyError for an argument that is none.
 *
 * @example
 * ```ts
 * import { websocket } from '@sallyport/express';
 * import express from 'express';
 * import { guard } from './policy.ts';
 *
 * export const routes = express.Router();
 * routes.get(
 *   '/chat',
 *   websocket(guard, (chat, request) => {
 *     chat.on('say', ({ text }) => chat.send('said', { text, from: request.ip }));
 *   }),
 * );
 * ```
 */
export function websocket<I extends readonly Identity[], M, R, Q extends IncomingMessage = Request>(
  guard: Guard<I, M, R>,
  handler: (connection: Connection<I[number], M, R>, request: Q, socket: WebSocket) => unknown,
): (request: Q, response: ServerResponse) => void {
  requireGuard(guard, 'websocket(guard, …)');
  requireFunction(handler, 'websocket(…, handler)', 'Give (connection, request) => { … }.');
  return (request, response) =>
    void acceptUpgrade(
      request,
      response,
      { guard, native: request, endsResponse: true },
      (connection, socket) => handler(connection, request, socket),
    );
}
