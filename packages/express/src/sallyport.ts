import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AnyGuard } from '@sallyport/core';
import { bypassRefusal } from '@sallyport/ws/host';

/**
 * Middleware that stands in the application's chain like a tripwire. Ordinary requests pass untouched; an upgrade
 * request that did not come through this guard's outer door is refused with `internal`, and the guard's events and log
 * say so. That happens when `upgrade()` or `gate()` was forgotten, when it was called with a guard of another family,
 * and when express-ws runs without a gate: its socket is closed before a handler sees it.
 */
export function sallyport(
  guard: AnyGuard,
): (request: IncomingMessage, response: ServerResponse, next: () => void) => void {
  return (request, response, next) => {
    const refusal = bypassRefusal(request, guard);
    if (refusal === undefined) {
      next();
      return;
    }
    // One by one: the `writeHead` of express-ws's stand-in response takes a status alone.
    response.statusCode = refusal.status;
    for (const [name, value] of Object.entries(refusal.headers)) response.setHeader(name, value);
    response.end(refusal.body);
  };
}
