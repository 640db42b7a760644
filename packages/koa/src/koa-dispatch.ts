import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AnyGuard } from '@sallyport/core';
import { requireFunction } from '@sallyport/core/host';
import { type DispatchOptions, dispatchUpgrades } from '@sallyport/ws/host';

/** The part of a Koa application that `upgrade` uses. */
export interface KoaApplication {
  callback(): (request: IncomingMessage, response: ServerResponse) => Promise<unknown>;
}

/**
 * Sends a server's upgrade requests through the guard's outer door and then through the application: its middleware and
 * routers run before the 101, and their refusals are true HTTP responses. Accept on a route with `websocket`; an upgrade of
 * any other route is refused with `route_unknown` (404). For `http` and `https` servers, before or after `listen`; add all
 * middleware first, as before `app.listen`.
 *
 * @throws PolicyError for an unknown option, for a server with a guard of another family, and for `upgrade` listeners
 * without a guard, unless `otherUpgrades: 'public'` lets them answer what the application answers with 404.
 *
 * @example
 * ```ts
 * import { upgrade } from '@sallyport/koa';
 * import Koa from 'koa';
 * import { guard } from './policy.ts';
 *
 * const app = new Koa(); // with websocket() routes
 * upgrade(app.listen(3000), app, guard);
 * ```
 */
export function upgrade(
  server: Server,
  app: KoaApplication,
  guard: AnyGuard,
  options: DispatchOptions = {},
): void {
  const { callback } = (app ?? {}) as Partial<KoaApplication>;
  requireFunction(callback, 'upgrade(…, app, …)', 'Give the application: upgrade(server, app, guard).');
  dispatchUpgrades(server, guard, app.callback(), options);
}
