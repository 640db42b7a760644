import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AnyGuard } from '@sallyport/core';
import { type DispatchOptions, dispatchUpgrades } from '@sallyport/ws/host';

/** An application of Express 4 or 5: a function of request and response. */
export type ExpressApplication = (request: never, response: never) => unknown;

/**
 * Sends a server's upgrade requests through the guard's outer door and then through the application: its middleware, routers
 * and error handlers run before the 101, and their refusals are true HTTP responses. Accept on a route with `websocket`; an
 * upgrade of any other route is refused with `route_unknown` (404). For `http` and `https` servers, before or after `listen`.
 *
 * @throws PolicyError for an unknown option, for a server with a guard of another family, and for `upgrade` listeners
 * without a guard, unless `otherUpgrades: 'public'` lets them answer what the application answers with 404.
 *
 * @example
 * ```ts
 * import { upgrade } from '@sallyport/express';
 * import express from 'express';
 * import { guard } from './policy.ts';
 *
 * const app = express(); // with websocket() routes
 * upgrade(app.listen(3000), app, guard);
 * ```
 */
export function upgrade(
  server: Server,
  app: ExpressApplication,
  guard: AnyGuard,
  options: DispatchOptions = {},
): void {
  dispatchUpgrades(
    server,
    guard,
    app as (request: IncomingMessage, response: ServerResponse) => unknown,
    options,
  );
}
