import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AnyGuard } from '@sallyport/core';
import { bypassRefusal } from '@sallyport/ws/host';

/** What is asked of a Koa context. */
export interface KoaContext {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  status: number;
  body: unknown;
  respond?: boolean;
  set(headers: Record<string, string>): void;
}

/**
 * Middleware that stands in the application's chain like a tripwire. Ordinary requests pass untouched; an upgrade
 * request that did not come through this guard's outer door is refused with `internal`, and the guard's events and log
 * say so. That happens when `upgrade()` was forgotten, or called with a guard of another family.
 */
export function sallyport(
  guard: AnyGuard,
): (ctx: KoaContext, next: () => Promise<unknown>) => Promise<unknown> {
  return async (ctx, next) => {
    const refusal = bypassRefusal(ctx.req, guard);
    if (refusal === undefined) return next();
    ctx.status = refusal.status;
    ctx.set({ ...refusal.headers });
    ctx.body = refusal.body;
    return undefined;
  };
}
