import type { WebSocket } from '@fastify/websocket';
import { isPromise, receiverOf } from '@sallyport/core/host';
import { connectionOf } from '@sallyport/ws';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { WebSocketRoutes } from './websocket-routes.ts';

type Handler = (this: unknown, socket: WebSocket, request: FastifyRequest) => unknown;
interface Definition {
  readonly websocket?: boolean;
  readonly handler?: Handler;
  readonly wsHandler?: Handler;
}
type Define = (this: FastifyInstance, ...args: unknown[]) => FastifyInstance;

/**
 * Closes the connection with `internal` when a WebSocket handler throws or rejects; @fastify/websocket would drop the socket
 * without a close code. Handlers are wrapped in `app.get` and `app.route`, because @fastify/websocket replaces them in its
 * `onRoute` hook, which runs before ours if that plugin was registered first.
 */
export function catchHandlerErrors(app: FastifyInstance, routes: WebSocketRoutes): void {
  const target = app as unknown as { get: Define; route: Define };
  const { get, route } = target;
  target.get = function (url, options, ...handler) {
    return (options as Definition | undefined)?.websocket === true
      ? get.call(
          this,
          url,
          withWrappedHandlers(options as Definition, routes),
          ...handler.map(wrapper(routes)),
        )
      : get.call(this, url, withWrappedHandlers(options, routes), ...handler);
  };
  target.route = function (options) {
    return route.call(this, withWrappedHandlers(options, routes));
  };
}

function withWrappedHandlers(options: unknown, routes: WebSocketRoutes): unknown {
  const { websocket, handler, wsHandler } = (options ?? {}) as Definition;
  const wrap = wrapper(routes);
  return websocket !== true && wsHandler === undefined
    ? options
    : {
        ...(options as Definition),
        ...(websocket === true && handler !== undefined && { handler: wrap(handler) }),
        ...(wsHandler !== undefined && { wsHandler: wrap(wsHandler) }),
      };
}

/** Wraps a handler. That of a public route keeps the error handling of @fastify/websocket. */
function wrapper(routes: WebSocketRoutes): (handler: unknown) => unknown {
  return (handler) =>
    typeof handler !== 'function'
      ? handler
      : function (this: unknown, socket: WebSocket, request: FastifyRequest): unknown {
          const guard = routes.guardOf(request);
          if (guard === undefined || guard === 'public') return handler.call(this, socket, request);
          delayErrorListener(socket);
          const failed = (error: unknown): void => receiverOf(connectionOf(socket, guard)).fault(error);
          try {
            const result: unknown = handler.call(this, socket, request);
            return isPromise(result) ? result.then(undefined, failed) : result;
          } catch (error) {
            return failed(error);
          }
        };
}

/**
 * Delays the `error` listener of @fastify/websocket, the last one added, until the socket has closed. That listener
 * terminates the socket, and the client would not receive the close code for its bad frame.
 */
function delayErrorListener(socket: WebSocket): void {
  const listener = socket.listeners('error').at(-1) as ((error: Error) => void) | undefined;
  if (listener === undefined) return;
  socket.off('error', listener);
  socket.on('error', (error) => void socket.once('close', () => listener.call(socket, error)));
}
