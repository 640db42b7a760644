import type { WebSocket } from '@fastify/websocket';
import { isPromise } from '@sallyport/core/host';
import { connectionOf } from '@sallyport/ws';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Routes } from './routes.ts';

type Handler = (this: unknown, socket: WebSocket, request: FastifyRequest) => unknown;
interface Definition {
  readonly websocket?: boolean;
  readonly handler?: Handler;
  readonly wsHandler?: Handler;
}
type Define = (this: FastifyInstance, ...args: unknown[]) => FastifyInstance;

/**
 * A WebSocket handler that throws or rejects closes its connection with `internal`, instead of dropping it without a
 * word. @fastify/websocket takes the handlers away in its `onRoute` hook, which runs first where it was registered
 * first; so they are wrapped as the application hands them in.
 */
export function catchHandlers(app: FastifyInstance, routes: Routes): void {
  const target = app as unknown as { get: Define; route: Define };
  const { get, route } = target;
  target.get = function (url, options, ...handler) {
    return (options as Definition | undefined)?.websocket === true
      ? get.call(this, url, shielded(options as Definition, routes), ...handler.map(shield(routes)))
      : get.call(this, url, shielded(options, routes), ...handler);
  };
  target.route = function (options) {
    return route.call(this, shielded(options, routes));
  };
}

function shielded(options: unknown, routes: Routes): unknown {
  const { websocket, handler, wsHandler } = (options ?? {}) as Definition;
  const wrap = shield(routes);
  return websocket !== true && wsHandler === undefined
    ? options
    : {
        ...(options as Definition),
        ...(websocket === true && handler !== undefined && { handler: wrap(handler) }),
        ...(wsHandler !== undefined && { wsHandler: wrap(wsHandler) }),
      };
}

/** The handler of a public route keeps the error handling of @fastify/websocket. */
function shield(routes: Routes): (handler: unknown) => unknown {
  return (handler) =>
    typeof handler !== 'function'
      ? handler
      : function (this: unknown, socket: WebSocket, request: FastifyRequest): unknown {
          const guard = routes.guardOf(request);
          if (guard === undefined || guard === 'public') return handler.call(this, socket, request);
          letFinish(socket);
          const failed = (error: unknown): void => connectionOf(socket, guard).fault(error);
          try {
            const result: unknown = handler.call(this, socket, request);
            return isPromise(result) ? result.then(undefined, failed) : result;
          } catch (error) {
            return failed(error);
          }
        };
}

/**
 * The error handler of @fastify/websocket terminates, which would cut off the close code that a bad frame is answered
 * with; so it hears of the error when the socket has closed. Its listener is the latest that was added.
 */
function letFinish(socket: WebSocket): void {
  const listener = socket.listeners('error').at(-1) as ((error: Error) => void) | undefined;
  if (listener === undefined) return;
  socket.off('error', listener);
  socket.on('error', (error) => void socket.once('close', () => listener.call(socket, error)));
}
