import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AnyGuard } from '@sallyport/core';
import { type DispatchOptions, dispatchUpgrades } from '@sallyport/ws/host';

/** What is asked of an Express application, 4 or 5; a function of request and response. */
export type ExpressApplication = (request: never, response: never) => unknown;

/**
 * Sends the server's upgrade requests through the guard's outer door, and then through the application: its
 * middleware, routers and error handlers run before the 101, and what they refuse is true HTTP. Before or after
 * `listen`, on `http` and `https` servers.
 *
 * @throws PolicyError for a server with a guard of another family, or with upgrade listeners that no guard stands before.
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
