import type { Hit, RateLimit } from '../ports.ts';

/** Milliseconds; far above what hundreds of additions lose, and far below what anybody could use. */
const SLACK = 1e-3;

/**
 * The generic cell rate algorithm as pure arithmetic: one number of state, the theoretical arrival time, and no
 * timer. A bucket whose time has come is as good as new, which is what makes forgetting it safe.
 *
 * Returns the new state when `cost` fits, or the negative number of milliseconds until it would.
 */
export function spend(tat: number, now: number, limit: RateLimit, cost = 1): number {
  const next = Math.max(tat, now) + cost * limit.interval;
  // A cost above the burst would never fit; it is let through alone, from a full bucket, and paid off afterwards.
  const ahead = next - Math.max(limit.burst, cost) * limit.interval;
  // Sums of fractions miss by a rounding error: without some slack the last hit of a burst would be refused.
  return ahead <= now + Math.min(SLACK, limit.interval / 2) ? next : now - ahead;
}

export const ALLOWED: Hit = { allowed: true };

export function retryAfter(milliseconds: number): Hit {
  return { allowed: false, retryAfter: milliseconds };
}
