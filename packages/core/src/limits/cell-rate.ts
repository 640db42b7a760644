import type { Hit, RateLimit } from '../vocabulary/store.ts';

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

/** How many hits would fit at once. */
export function remaining(tat: number, now: number, { interval, burst }: RateLimit): number {
  const free = burst - (Math.max(tat, now) - now) / interval;
  return Math.max(0, Math.floor(free + Math.min(SLACK, interval / 2) / interval));
}

/** The outcome of `cost` hits, or of a look where that is 0; `next` is the state afterwards. */
export function hitOf(
  tat: number,
  now: number,
  limit: RateLimit,
  cost: number,
): { readonly hit: Hit; readonly next: number } {
  const spent = spend(tat, now, limit, Math.max(cost, 1));
  if (spent < 0)
    return { hit: { allowed: false, remaining: remaining(tat, now, limit), retryAfter: -spent }, next: tat };
  const next = cost === 0 ? tat : spent;
  return { hit: { allowed: true, remaining: remaining(next, now, limit), retryAfter: 0 }, next };
}
