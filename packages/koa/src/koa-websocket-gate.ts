import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AnyGuard, PolicyError, reasons } from '@sallyport/core';
import { receiverOf, refuseUnknown, requireGuard } from '@sallyport/core/host';
import type { WebSocket, WebSocketServer } from '@sallyport/ws';
import { connectionOf } from '@sallyport/ws';
import { acceptUpgrade, dispatchInsteadOf, emitConnection } from '@sallyport/ws/host';
import type { KoaApplication } from './koa-dispatch.ts';
import type { KoaContext } from './koa-unguarded-refusal.ts';

type Middleware = (ctx: never, next: () => Promise<unknown>) => unknown;

/** The result of `websockify(app)` of koa-websocket 7. */
export interface KoaWebSocket extends KoaApplication {
  createContext(request: never, response: never): unknown;
  readonly ws: {
    /** Absent until `app.listen`. */
    server?: unknown;
    readonly middleware: unknown[];
    listen(options: never): unknown;
  };
}

/** Options of `guardKoaWebsocket()`. */
export interface KoaWebsocketOptions {
  /**
   * Middleware that runs before the inner door, on a context of the application: `[session(app)]`. Its refusals and errors
   * are true HTTP responses. The policy's hooks see its context as `request.native`, and the handlers get the same context.
   * The 101 waits for it, and cookies that it sets are sent with the 101. Default: none. The middleware of `app.ws.use`
   * runs after the 101.
   */
  readonly middleware?: readonly Middleware[];
}

/** A context of a WebSocket, before or after the 101. */
type SocketContext = KoaContext & { websocket: WebSocket; app: unknown; request: { app: unknown } };

/**
 * Guards an application on koa-websocket. Its handlers stay as they are: `app.ws.use((ctx, next) => …)`. Call it before
 * `app.listen`. koa-websocket looks for the route after the 101, so an unknown path is admitted at first; if no handler then
 * reads `ctx.websocket`, the connection closes with 4404. Early frames wait until a handler reads `ctx.websocket`. A handler
 * that throws or rejects closes the connection with `internal`.
 *
 * @throws PolicyError for an argument or option that is none, for an application that listens already, and (from `listen`) for a server with
 * a guard of another family.
 *
 * @example
 * ```ts
 * import { connectionOf, guardKoaWebsocket } from '@sallyport/koa';
 * import Koa from 'koa';
 * import websockify from 'koa-websocket';
 * import { guard } from './policy.ts';
 *
 * const app = websockify(new Koa());
 * guardKoaWebsocket(app, guard);
 * app.ws.use((ctx) => {
 *   connectionOf(ctx.websocket, guard).on('say', ({ text }) => console.log(text));
 * });
 * app.listen(3000);
 * ```
 */
export function guardKoaWebsocket(
  app: KoaWebSocket,
  guard: AnyGuard,
  options: KoaWebsocketOptions = {},
): void {
  checkApplication(app);
  requireGuard(guard, 'guardKoaWebsocket(…, guard)');
  refuseUnknown(options, ['middleware'], 'guardKoaWebsocket(…)');
  const { ws } = app;
  const middleware = checkMiddleware(options.middleware);
  if (ws.server !== undefined)
    throw new PolicyError(
      'guardKoaWebsocket',
      'the application listens already',
      'Call guardKoaWebsocket() before app.listen().',
    );
  ws.middleware.unshift(closeUnhandled(guard));
  const contexts = reuseContexts(app);
  const { listen } = ws;
  ws.listen = (serverOptions) => {
    listen.call(ws, serverOptions);
    const wss = ws.server as WebSocketServer;
    const accept = (ctx: SocketContext): Promise<void> => {
      const { req, res } = ctx;
      ctx.respond = false;
      const acceptOptions = { guard, native: ctx, server: wss, awaitsReturn: true };
      return acceptUpgrade(req, res, acceptOptions, (connection, socket) => {
        contexts.set(req, ctx);
        emitConnection(wss, socket, req, connection);
      });
    };
    dispatchInsteadOf(wss, guard, withMiddleware(app, [...middleware, accept as Middleware]));
  };
}

function checkApplication(app: KoaWebSocket): void {
  const { ws, callback, createContext } = (app ?? {}) as Partial<KoaWebSocket>;
  const { listen, middleware } = (ws ?? {}) as Partial<KoaWebSocket['ws']>;
  const isWhole = [callback, createContext, listen].every((member) => typeof member === 'function');
  if (isWhole && Array.isArray(middleware)) return;
  throw new PolicyError(
    'guardKoaWebsocket(app, …)',
    'it is not an application of koa-websocket',
    'Give what websockify(new Koa()) returns.',
  );
}

function checkMiddleware(given: readonly Middleware[] = []): readonly Middleware[] {
  if (Array.isArray(given) && given.every((one) => typeof one === 'function')) return given;
  throw new PolicyError(
    'guardKoaWebsocket(…, { middleware })',
    'it is not a list of middleware',
    'Give [session(app)], or leave it out.',
  );
}

/** The application with other middleware, but with its own contexts, error handler and settings. */
function withMiddleware(app: KoaWebSocket, middleware: readonly Middleware[]) {
  const asItself = (ctx: SocketContext, next: () => Promise<unknown>): Promise<unknown> => {
    ctx.app = app;
    ctx.request.app = app;
    return next();
  };
  const front = Object.assign(Object.create(app) as KoaWebSocket, { middleware: [asItself, ...middleware] });
  return front.callback();
}

/** Makes koa-websocket use the context that the policy has seen. Otherwise it creates one without a response for each socket. */
function reuseContexts(app: KoaWebSocket): WeakMap<IncomingMessage, SocketContext> {
  const contexts = new WeakMap<IncomingMessage, SocketContext>();
  const { createContext } = app;
  app.createContext = function (this: KoaWebSocket, request: IncomingMessage, response: ServerResponse) {
    return contexts.get(request) ?? createContext.call(this, request as never, response as never);
  } as KoaWebSocket['createContext'];
  return contexts;
}

/** The first middleware of koa-websocket, which itself swallows errors and leaves sockets open that no handler has taken. */
function closeUnhandled(guard: AnyGuard) {
  return async (ctx: SocketContext, next: () => Promise<unknown>): Promise<void> => {
    const socket = ctx.websocket;
    const connection = connectionOf(socket, guard);
    let isTaken = false;
    const take = (): void => {
      if (!isTaken) socket.resume();
      isTaken = true;
    };
    socket.pause();
    Object.defineProperty(ctx, 'websocket', {
      configurable: true,
      enumerable: true,
      get() {
        take();
        return socket;
      },
    });
    try {
      await next();
      if (!isTaken) connection.close(4404, reasons.route_unknown.text);
    } catch (error) {
      receiverOf(connection).fault(error);
    }
    take();
  };
}
