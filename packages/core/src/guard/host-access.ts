import { PolicyError } from '../vocabulary/policy-error.ts';
import type { Identity } from '../vocabulary/ports.ts';
import type { AnyGuard, Guard } from './guard.ts';
import type { HostGuard } from './host-guard.ts';
import { hasInternals, internalsOf } from './internals.ts';

/**
 * The interface of a guard for adapters. Always returns the same object for the same guard.
 *
 * @throws TypeError for a value that is not a guard.
 */
export function hostGuard<I extends readonly Identity[], M, R>(guard: Guard<I, M, R>): HostGuard<I, M, R> {
  return internalsOf(guard).host as unknown as HostGuard<I, M, R>;
}

/** Whether a value is a guard. For checking what a user passes. */
export function isGuard(value: unknown): value is AnyGuard {
  return hasInternals(value);
}

/**
 * Checks that a user has passed a guard to a function, which `option` names: `upgrade(…, guard)`.
 *
 * @throws PolicyError for anything else.
 */
export function requireGuard(value: unknown, option: string): void {
  if (!isGuard(value)) throw new PolicyError(option, 'it is not a guard', 'Make one with createGuard.');
}

/** Whether two guards share one outer door: one extends the other, or both extend a third. */
export function shareOuterDoor(one: AnyGuard, other: AnyGuard): boolean {
  return hostGuard(one).limits === hostGuard(other).limits;
}
