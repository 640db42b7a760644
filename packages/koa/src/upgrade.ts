import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AnyGuard } from '@sallyport/core';
import { type DispatchOptions, dispatchUpgrades } from '@sallyport/ws/host';

/** What is asked of a Koa application. */
export interface KoaApplication {
  callback(): (request: IncomingMessage, response: ServerResponse) => Promise<unknown>;
}

/**
 * Sends the server's upgrade requests through the guard's outer door, and then through the application: its
 * middleware and routers run before the 101, and what they refuse is true HTTP. Before or after `listen`, on `http` and
 * `https` servers; middleware is to be added first, as before `app.listen`.
 *
 * @throws PolicyError for a server with a guard of another family, or with upgrade listeners that no guard stands before.
 */
export function upgrade(
  server: Server,
  app: KoaApplication,
  guard: AnyGuard,
  options: DispatchOptions = {},
): void {
  dispatchUpgrades(server, guard, app.callback(), options);
}
