import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Connection, Guard, Identity } from '@sallyport/core';
import type { WebSocket } from '@sallyport/ws';
import { acceptUpgrade } from '@sallyport/ws/host';
import type { Request } from 'express';

/**
 * A route handler for a WebSocket: `app.get('/chat', websocket(guard, (connection, request) => …))`, on applications and
 * routers. It runs the guard's inner door, then the handler; the policy's hooks see the Express request as
 * `request.native`, with what the middleware before it has put there. The response ends with status 101, so that
 * sessions are saved and their cookies go out with it; later changes need `request.session.save()`.
 *
 * A handler that throws or rejects closes the connection with `internal`. An ordinary request is answered with 426.
 */
export function websocket<I extends readonly Identity[], M, R, Q extends IncomingMessage = Request>(
  guard: Guard<I, M, R>,
  handler: (connection: Connection<I[number], M, R>, request: Q, socket: WebSocket) => unknown,
): (request: Q, response: ServerResponse) => void {
  return (request, response) =>
    void acceptUpgrade(
      request,
      response,
      { guard, native: request, endsResponse: true },
      (connection, socket) => handler(connection, request, socket),
    );
}
