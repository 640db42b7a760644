import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AnyGuard, PolicyError, reasons } from '@sallyport/core';
import type { WebSocket, WebSocketServer } from '@sallyport/ws';
import { connectionOf } from '@sallyport/ws';
import { acceptUpgrade, announce, dispatchInstead } from '@sallyport/ws/host';
import type { KoaContext } from './sallyport.ts';
import type { KoaApplication } from './upgrade.ts';

type Middleware = (ctx: never, next: () => Promise<unknown>) => unknown;

/** What `websockify(app)` of koa-websocket 7 returns. */
export interface KoaWebSocket extends KoaApplication {
  createContext(request: never, response: never): unknown;
  readonly ws: {
    /** Absent until `app.listen`. */
    server?: unknown;
    readonly middleware: unknown[];
    listen(options: never): unknown;
  };
}

export interface GateOptions {
  /**
   * Runs before the inner door, on a context of the application: `[session(app)]`. What it answers or throws is a true
   * HTTP refusal, and what it puts on the context is there for the policy's hooks, as `request.native`, and for the
   * handlers, which get the same context. The cookies that it sets go out on the 101, which waits for it. Default: none; koa-websocket's own middleware runs after the 101.
   */
  readonly middleware?: readonly Middleware[];
}

/** A context that has a WebSocket, or is about to. */
type SocketContext = KoaContext & { websocket: WebSocket; app: unknown; request: { app: unknown } };

/**
 * Guards an application that uses koa-websocket, with its handlers as they are: `app.ws.use((ctx, next) => …)`. To be
 * called before `app.listen`. koa-websocket routes after the 101, so that an unknown path is first admitted; where no
 * handler then asks for `ctx.websocket`, the connection closes with 4404. Handlers that throw or reject close it with
 * `internal`; frames that arrive early wait until a handler asks for `ctx.websocket`.
 *
 * @throws PolicyError for an application that listens already, and (from `listen`) for a server with a guard of another family.
 */
export function gate(
  app: KoaWebSocket,
  guard: AnyGuard,
  { middleware = [], ...rest }: GateOptions = {},
): void {
  const { ws } = app;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined)
    throw new PolicyError(`gate(…, { ${unknown} })`, 'unknown option', "Use 'middleware'.");
  if (ws.server !== undefined)
    throw new PolicyError('gate', 'the application listens already', 'Call gate() before app.listen().');
  ws.middleware.unshift(shield(guard));
  const contexts = keepContexts(app);
  const { listen } = ws;
  ws.listen = (options) => {
    listen.call(ws, options);
    const wss = ws.server as WebSocketServer;
    const accept = (ctx: SocketContext): Promise<void> => {
      const { req, res } = ctx;
      ctx.respond = false;
      const target = { guard, native: ctx, server: wss, awaitsReturn: true };
      return acceptUpgrade(req, res, target, (connection, socket) => {
        contexts.set(req, ctx);
        announce(wss, socket, req, connection);
      });
    };
    dispatchInstead(wss, guard, before(app, [...middleware, accept as Middleware]));
  };
}

/** The application with another middleware stack, and otherwise itself: its contexts, error handler and settings. */
function before(app: KoaWebSocket, middleware: readonly Middleware[]) {
  const asItself = (ctx: SocketContext, next: () => Promise<unknown>): Promise<unknown> => {
    ctx.app = app;
    ctx.request.app = app;
    return next();
  };
  const front = Object.assign(Object.create(app) as KoaWebSocket, { middleware: [asItself, ...middleware] });
  return front.callback();
}

/** koa-websocket makes a context for each socket, without a response; it gets the one that the policy has seen. */
function keepContexts(app: KoaWebSocket): WeakMap<IncomingMessage, SocketContext> {
  const contexts = new WeakMap<IncomingMessage, SocketContext>();
  const { createContext } = app;
  app.createContext = function (this: KoaWebSocket, request: IncomingMessage, response: ServerResponse) {
    return contexts.get(request) ?? createContext.call(this, request as never, response as never);
  } as KoaWebSocket['createContext'];
  return contexts;
}

/** Comes first in koa-websocket's own stack, which swallows errors and leaves sockets open that nobody wants. */
function shield(guard: AnyGuard) {
  return async (ctx: SocketContext, next: () => Promise<unknown>): Promise<void> => {
    const socket = ctx.websocket;
    const connection = connectionOf(socket, guard);
    let waiting = true;
    const proceed = (): void => {
      if (waiting) socket.resume();
      waiting = false;
    };
    socket.pause();
    Object.defineProperty(ctx, 'websocket', {
      configurable: true,
      enumerable: true,
      get() {
        proceed();
        return socket;
      },
    });
    try {
      await next();
      if (waiting) connection.close(4404, reasons.route_unknown.text);
    } catch (error) {
      connection.fault(error);
    }
    proceed();
  };
}
