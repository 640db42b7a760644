import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AnyGuard } from '@sallyport/core';
import { requireGuard } from '@sallyport/core/host';
import { unguardedRefusal } from '@sallyport/ws/host';

/** The part of a Koa context that this package uses. */
export interface KoaContext {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  status: number;
  body: unknown;
  respond?: boolean;
  set(headers: Record<string, string>): void;
}

/**
 * Middleware that refuses upgrade requests which did not come through the outer door of this guard's family, with `internal`
 * (500), an event and a line in the guard's log. Ordinary requests pass untouched. It notices that `upgrade()` was
 * forgotten, or called with a guard of another family.
 *
 * @throws PolicyError for anything but a guard.
 *
 * @example
 * ```ts
 * import { refuseUnguarded } from '@sallyport/koa';
 * import Koa from 'koa';
 * import { guard } from './policy.ts';
 *
 * export const app = new Koa();
 * app.use(refuseUnguarded(guard)); // behind the session middleware, before the routes
 * ```
 */
export function refuseUnguarded(
  guard: AnyGuard,
): (ctx: KoaContext, next: () => Promise<unknown>) => Promise<unknown> {
  requireGuard(guard, 'refuseUnguarded(guard)');
  return async (ctx, next) => {
    const refusal = unguardedRefusal(ctx.req, guard);
    if (refusal === undefined) return next();
    ctx.status = refusal.status;
    ctx.set({ ...refusal.headers });
    ctx.body = refusal.body;
    return undefined;
  };
}
