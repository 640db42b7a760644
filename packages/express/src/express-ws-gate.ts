import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AnyGuard, PolicyError } from '@sallyport/core';
import { requireGuard } from '@sallyport/core/host';
import type { WebSocketServer } from '@sallyport/ws';
import { dispatchInsteadOf } from '@sallyport/ws/host';
import express from 'express';
import type { ExpressApplication } from './express-dispatch.ts';
import {
  type ExpressWsGate,
  guardRoutes,
  isOpen,
  pathOfRoute,
  type Routable,
  setGate,
} from './express-ws-routes.ts';

/** The result of `expressWs(app)` of express-ws 5. */
export interface ExpressWs {
  readonly app: ExpressApplication & Routable;
  getWss(): unknown;
  applyTo(router: never): void;
}

/**
 * Guards an application on express-ws. Its handlers stay as they are: `app.ws('/chat', (ws, req) => …)`. Call it right after
 * `expressWs(app)`, before any route is defined; routes defined earlier are refused with `route_unknown`.
 *
 * The application's middleware now runs before the 101: the policy sees the Express request as `request.native`, with its
 * session, and refusals of the application are true HTTP responses. Unknown paths are refused with `route_unknown`. The
 * response ends with status 101, so sessions are saved and their cookies are sent with it. A handler that throws, rejects or
 * calls `next(error)` closes the connection with `internal`.
 *
 * @throws PolicyError for an argument that is none, for an instance that is guarded already, and for a server with a guard of another family.
 *
 * @example
 * ```ts
 * import { connectionOf, guardExpressWs } from '@sallyport/express';
 * import express from 'express';
 * import expressWs from 'express-ws';
 * import { guard } from './policy.ts';
 *
 * const instance = expressWs(express());
 * guardExpressWs(instance, guard);
 * instance.app.ws('/chat', (socket) => {
 *   connectionOf(socket, guard).on('say', ({ text }) => console.log(text));
 * });
 * instance.app.listen(3000);
 * ```
 */
export function guardExpressWs(instance: ExpressWs, guard: AnyGuard): void {
  checkInstance(instance);
  requireGuard(guard, 'guardExpressWs(…, guard)');
  const wss = instance.getWss() as WebSocketServer;
  const { app } = instance;
  const gate: ExpressWsGate = { guard, wss };
  // The first listener is that of express-ws, which would run the application once more, after the 101.
  const [runApplication] = wss.listeners('connection');
  if (guarded.has(wss) || runApplication === undefined) {
    throw new PolicyError(
      'guardExpressWs',
      'this express-ws instance has a guard already',
      'Call guardExpressWs() once.',
    );
  }
  guarded.add(wss);
  dispatchInsteadOf(wss, guard, (request, response) => {
    setGate(request, gate);
    request.url = pathOfRoute(request.url ?? '/');
    return (app as unknown as Handle)(request, response, (error) => {
      if (isOpen(request)) return;
      failures.set(request, error);
      (finalHandler as unknown as Handle)(request, response);
    });
  });
  wss.off('connection', runApplication as () => void);
  guardRoutes(app);
  // On Express 4, express-ws adds its `ws` to the function that all routers inherit from.
  const Router = express.Router as unknown as Routable;
  if (typeof Router.ws === 'function') guardRoutes(Router);
  const { applyTo } = instance;
  instance.applyTo = (router: Routable) => {
    applyTo(router as never);
    guardRoutes(router);
  };
}

function checkInstance(instance: ExpressWs): void {
  const { app, getWss, applyTo } = (instance ?? {}) as Partial<ExpressWs>;
  if ([app, getWss, applyTo].every((member) => typeof member === 'function')) return;
  throw new PolicyError(
    'guardExpressWs(instance, …)',
    'it is not what expressWs() returns',
    'Give the whole result: const instance = expressWs(app).',
  );
}

type Handle = (
  request: IncomingMessage,
  response: ServerResponse,
  done?: (error?: unknown) => void,
) => unknown;

const guarded = new WeakSet<WebSocketServer>();

/** The errors that applications have passed to their `next`, by request. */
const failures = new WeakMap<object, unknown>();

/**
 * Answers errors, and requests that no route has answered, as Express does. It replaces the application's own final handler,
 * which would destroy the socket of a WebSocket whose handler calls `next()`: the response of that request has ended.
 */
const finalHandler = express()
  .disable('x-powered-by')
  .use((request, _response, next) => next(failures.get(request)));
