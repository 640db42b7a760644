import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AnyGuard, Connection } from '@sallyport/core';
import { isPromise } from '@sallyport/core/host';
import type { WebSocket, WebSocketServer } from '@sallyport/ws';
import { acceptUpgrade, announce } from '@sallyport/ws/host';

/** An application or router of Express, with or without the `ws` of express-ws. */
export interface Routable {
  get(path: never, ...handlers: never[]): unknown;
  ws?: unknown;
}

/** Whose upgrade a request is. */
export interface Bound {
  readonly guard: AnyGuard;
  readonly wss: WebSocketServer;
}

type Next = (error?: unknown) => void;
type Handler = (socket: WebSocket, request: Request, next: Next) => unknown;
/** What express-ws puts on the request. */
type Request = IncomingMessage & { ws?: WebSocket; wsHandled?: boolean };
type RouteHandler = (request: Request, response: ServerResponse, next: Next) => unknown;

const bounds = new WeakMap<IncomingMessage, Bound>();
const connections = new WeakMap<IncomingMessage, Connection>();
const guarded = new WeakSet<object>();

/** From here on this request's WebSocket routes are found, and are under this guard. */
export function bindRoutes(request: IncomingMessage, bound: Bound): void {
  bounds.set(request, bound);
}

/** Whether the request's WebSocket has reached its handlers. */
export function isOpen(request: IncomingMessage): boolean {
  return connections.has(request);
}

/** The internal path that express-ws gives its routes, apart from ordinary ones: `/chat?a` is `/chat/.websocket?a`. */
export function pathOfRoute(url: string): string {
  const [, path = '', query = ''] = /^([^?]*)(.*)$/s.exec(url) ?? [];
  return `${path.replace(/\/?$/, '/')}.websocket${query}`;
}

/** Replaces the `ws` of express-ws by one whose handlers run only for an admitted connection. */
export function guardRoutes(router: Routable): void {
  const ws = function (this: Routable, path: string, ...handlers: Handler[]): Routable {
    this.get(pathOfRoute(path) as never, ...(handlers.map(routeHandler) as never[]));
    return this;
  };
  if (guarded.has(router)) return;
  guarded.add(router);
  router.ws = ws;
}

function routeHandler(handler: Handler): RouteHandler {
  return (request, response, next) => {
    const bound = bounds.get(request);
    const connection = connections.get(request);
    if (bound === undefined) return ungated(handler, request, next);
    if (connection !== undefined) return run(handler, request, next, connection);
    const target = { ...bound, native: request, server: bound.wss, endsResponse: true };
    return acceptUpgrade(request, response, target, (admitted, socket) => {
      connections.set(request, admitted);
      request.ws = socket;
      request.wsHandled = true;
      announce(bound.wss, socket, request, admitted);
      return run(handler, request, next, admitted);
    });
  };
}

/** express-ws passes errors to Express, whose answer cannot reach anybody after the 101, and drops promises. */
function run(handler: Handler, request: Request, next: Next, connection: Connection): void {
  const proceed: Next = (error) => {
    if (error === undefined || error === null || error === 'route' || error === 'router') next(error);
    else connection.fault(error);
  };
  try {
    const result = handler(request.ws as WebSocket, request, proceed);
    if (isPromise(result)) result.then(undefined, (error: unknown) => connection.fault(error));
  } catch (error) {
    connection.fault(error);
  }
}

/** Express 4's routers are shared by all instances of express-ws; those without a gate go on as they did. */
function ungated(handler: Handler, request: Request, next: Next): unknown {
  if (request.ws === undefined || request.ws === null) return next();
  request.wsHandled = true;
  try {
    return handler(request.ws, request, next);
  } catch (error) {
    return next(error);
  }
}
