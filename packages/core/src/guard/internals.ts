import type { HostGuard } from './host-guard.ts';
import type { Route } from './route.ts';

/** What a guard holds and no application needs. */
export interface GuardInternals {
  readonly host: HostGuard;
  readonly route: Route;
}

/** Registered, since the application may have a copy of the core of its own, whose guards an adapter is handed. */
const INTERNALS: unique symbol = Symbol.for('sallyport.guard') as never;

/** Keeps them on the guard itself, where no editor offers them and nothing prints them. */
export function keepInternals(guard: object, internals: GuardInternals): void {
  Object.defineProperty(guard, INTERNALS, { value: internals });
}

export function internalsOf(guard: object): GuardInternals {
  const internals = (guard as { readonly [INTERNALS]?: GuardInternals })[INTERNALS];
  if (internals !== undefined) return internals;
  throw new TypeError('This is no guard. Make one with createGuard.');
}

export function hasInternals(value: unknown): boolean {
  return typeof value === 'object' && value !== null && INTERNALS in value;
}
