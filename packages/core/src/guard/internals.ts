import type { HostGuard } from './host-guard.ts';
import type { Route } from './route.ts';

/** The parts of a guard that no application needs. */
export interface GuardInternals {
  readonly host: HostGuard;
  readonly route: Route;
}

/** A registered symbol, because application and adapter may load two copies of the core. */
const INTERNALS: unique symbol = Symbol.for('sallyport.guard') as never;

/** Stores the internals in a hidden property of the guard, which editors do not offer and `console.log` does not print. */
export function keepInternals(guard: object, internals: GuardInternals): void {
  Object.defineProperty(guard, INTERNALS, { value: internals });
}

export function internalsOf(guard: object): GuardInternals {
  if (hasInternals(guard)) return (guard as { readonly [INTERNALS]: GuardInternals })[INTERNALS];
  throw new TypeError('This is no guard. Make one with createGuard.');
}

export function hasInternals(value: unknown): boolean {
  return typeof value === 'object' && value !== null && INTERNALS in value;
}
