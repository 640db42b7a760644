import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AnyGuard, Connection } from '@sallyport/core';
import { isPromise, receiverOf } from '@sallyport/core/host';
import type { WebSocket, WebSocketServer } from '@sallyport/ws';
import { acceptUpgrade, emitConnection } from '@sallyport/ws/host';

/** An Express application or router, with or without the `ws` method of express-ws. */
export interface Routable {
  get(path: never, ...handlers: never[]): unknown;
  ws?: unknown;
}

/** The guard of an express-ws instance, and its ws server. */
export interface ExpressWsGate {
  readonly guard: AnyGuard;
  readonly wss: WebSocketServer;
}

type Next = (error?: unknown) => void;
type Handler = (socket: WebSocket, request: Request, next: Next) => unknown;
/** A request with the properties that express-ws adds. */
type Request = IncomingMessage & { ws?: WebSocket; wsHandled?: boolean };
type RouteHandler = (request: Request, response: ServerResponse, next: Next) => unknown;

const gates = new WeakMap<IncomingMessage, ExpressWsGate>();
const connections = new WeakMap<IncomingMessage, Connection>();
const guardedRouters = new WeakSet<object>();

/** Says which guard decides about the WebSocket route that this request will reach. */
export function setGate(request: IncomingMessage, gate: ExpressWsGate): void {
  gates.set(request, gate);
}

/** Whether the request has become a WebSocket and its handlers have been called. */
export function isOpen(request: IncomingMessage): boolean {
  return connections.has(request);
}

/** The path under which express-ws registers a WebSocket route, apart from ordinary ones: `/chat/.websocket?a` for `/chat?a`. */
export function pathOfRoute(url: string): string {
  const [, path = '', query = ''] = /^([^?]*)(.*)$/s.exec(url) ?? [];
  return `${path.replace(/\/?$/, '/')}.websocket${query}`;
}

/** Replaces the `ws` method of express-ws by one whose handlers run only for an admitted connection. */
export function guardRoutes(router: Routable): void {
  const ws = function (this: Routable, path: string, ...handlers: Handler[]): Routable {
    this.get(pathOfRoute(path) as never, ...(handlers.map(routeHandler) as never[]));
    return this;
  };
  if (guardedRouters.has(router)) return;
  guardedRouters.add(router);
  router.ws = ws;
}

function routeHandler(handler: Handler): RouteHandler {
  return (request, response, next) => {
    const gate = gates.get(request);
    const connection = connections.get(request);
    if (gate === undefined) return runUnguarded(handler, request, next);
    if (connection !== undefined) return run(handler, request, next, connection);
    const { guard, wss } = gate;
    const options = { guard, native: request, server: wss, endsResponse: true };
    return acceptUpgrade(request, response, options, (admitted, socket) => {
      connections.set(request, admitted);
      request.ws = socket;
      request.wsHandled = true;
      emitConnection(wss, socket, request, admitted);
      return run(handler, request, next, admitted);
    });
  };
}

/** Calls a handler. Errors close the connection: express-ws would pass them to Express, which cannot answer after the 101. */
function run(handler: Handler, request: Request, next: Next, connection: Connection): void {
  const proceed: Next = (error) => {
    if (error === undefined || error === null || error === 'route' || error === 'router') next(error);
    else receiverOf(connection).fault(error);
  };
  try {
    const result = handler(request.ws as WebSocket, request, proceed);
    if (isPromise(result)) result.then(undefined, (error: unknown) => receiverOf(connection).fault(error));
  } catch (error) {
    receiverOf(connection).fault(error);
  }
}

/** For unguarded instances of express-ws: on Express 4 they share our `ws` method, and their handlers must run as before. */
function runUnguarded(handler: Handler, request: Request, next: Next): unknown {
  if (request.ws === undefined || request.ws === null) return next();
  request.wsHandled = true;
  try {
    return handler(request.ws, request, next);
  } catch (error) {
    return next(error);
  }
}
