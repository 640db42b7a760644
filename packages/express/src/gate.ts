import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AnyGuard, PolicyError } from '@sallyport/core';
import type { WebSocketServer } from '@sallyport/ws';
import { dispatchInstead } from '@sallyport/ws/host';
import express from 'express';
import type { ExpressApplication } from './upgrade.ts';
import { type Bound, bindRoutes, guardRoutes, isOpen, pathOfRoute, type Routable } from './ws-routes.ts';

/** What `expressWs(app)` of express-ws 5 returns. */
export interface ExpressWs {
  readonly app: ExpressApplication & Routable;
  getWss(): unknown;
  applyTo(router: never): void;
}

/**
 * Guards an application that uses express-ws, with its handlers as they are: `app.ws('/chat', (ws, req) => …)`. To be
 * called right after `expressWs(app)`, before routes are defined; a route that was defined earlier is refused with
 * `route_unknown`. The application's middleware now runs before the 101, so that sessions are there for the policy
 * (`request.native` is the Express request), its refusals are true HTTP, and unknown paths get `route_unknown`. The
 * response ends with status 101, so that sessions are saved and their cookies go out with it.
 * A handler that throws, rejects or calls `next(error)` closes the connection with `internal`.
 *
 * @throws PolicyError for an instance that has a gate already, and for a server with a guard of another family.
 */
export function gate(instance: ExpressWs, guard: AnyGuard): void {
  const wss = instance.getWss() as WebSocketServer;
  const { app } = instance;
  const bound: Bound = { guard, wss };
  // The first listener is express-ws's own, which would run the application once more, after the 101.
  const [runApplication] = wss.listeners('connection');
  if (bounds.has(wss) || runApplication === undefined) {
    throw new PolicyError('gate', 'this express-ws instance has a gate already', 'Call gate() once.');
  }
  bounds.add(wss);
  dispatchInstead(wss, guard, (request, response) => {
    bindRoutes(request, bound);
    request.url = pathOfRoute(request.url ?? '/');
    return (app as unknown as Handle)(request, response, (error) => {
      if (isOpen(request)) return;
      failures.set(request, error);
      (leftover as unknown as Handle)(request, response);
    });
  });
  wss.off('connection', runApplication as () => void);
  guardRoutes(app);
  // Express 4's routers inherit from this function, where express-ws has put its `ws`.
  const Router = express.Router as unknown as Routable;
  if (typeof Router.ws === 'function') guardRoutes(Router);
  const { applyTo } = instance;
  instance.applyTo = (router: Routable) => {
    applyTo(router as never);
    guardRoutes(router);
  };
}

type Handle = (
  request: IncomingMessage,
  response: ServerResponse,
  done?: (error?: unknown) => void,
) => unknown;

const bounds = new WeakSet<WebSocketServer>();

const failures = new WeakMap<object, unknown>();

/**
 * Answers as Express does what no route of the application has answered, and errors. The application's own last handler
 * would destroy the socket of a WebSocket whose handler calls `next()`, since its response has ended.
 */
const leftover = express()
  .disable('x-powered-by')
  .use((request, _response, next) => next(failures.get(request)));
