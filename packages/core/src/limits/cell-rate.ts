import type { Hit, RateLimit } from '../vocabulary/store-contract.ts';

/** Milliseconds: above the rounding error of hundreds of additions, and too little to gain anything. */
const SLACK = 1e-3;

/**
 * The generic cell rate algorithm (GCRA) on one number, the theoretical arrival time. A bucket whose time has passed
 * is full, so it can be forgotten. Returns the new state, or the negative number of milliseconds until `cost` fits.
 */
export function spend(tat: number, now: number, limit: RateLimit, cost = 1): number {
  const next = Math.max(tat, now) + cost * limit.interval;
  // A cost above the burst would never fit. It passes from a full bucket and is paid off afterwards.
  const ahead = next - Math.max(limit.burst, cost) * limit.interval;
  // Without the slack, rounding errors would refuse the last hit of a burst.
  return ahead <= now + Math.min(SLACK, limit.interval / 2) ? next : now - ahead;
}

export function remaining(tat: number, now: number, { interval, burst }: RateLimit): number {
  const free = burst - (Math.max(tat, now) - now) / interval;
  return Math.max(0, Math.floor(free + Math.min(SLACK, interval / 2) / interval));
}

/** A cost of 0 only looks. */
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
