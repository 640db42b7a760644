import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AnyGuard } from '@sallyport/core';
import { requireGuard } from '@sallyport/core/host';
import { unguardedRefusal } from '@sallyport/ws/host';

/**
 * Middleware that refuses upgrade requests which did not come through the outer door of this guard's family, with `internal`
 * (500), an event and a line in the guard's log. Ordinary requests pass untouched. It notices that `upgrade()` or
 * `guardExpressWs()` was forgotten, or called with a guard of another family. Under an unguarded express-ws it closes the
 * socket before a handler sees it.
 *
 * @throws PolicyError for anything but a guard.
 *
 * @example
 * ```ts
 * import { refuseUnguarded } from '@sallyport/express';
 * import express from 'express';
 * import { guard } from './policy.ts';
 *
 * export const app = express();
 * app.use(refuseUnguarded(guard)); // behind the session middleware, before the routes
 * ```
 */
export function refuseUnguarded(
  guard: AnyGuard,
): (request: IncomingMessage, response: ServerResponse, next: () => void) => void {
  requireGuard(guard, 'refuseUnguarded(guard)');
  return (request, response, next) => {
    const refusal = unguardedRefusal(request, guard);
    if (refusal === undefined) {
      next();
      return;
    }
    // One header at a time, because the `writeHead` of express-ws's own response takes a status alone.
    response.statusCode = refusal.status;
    for (const [name, value] of Object.entries(refusal.headers)) response.setHeader(name, value);
    response.end(refusal.body);
  };
}
