import type { Clock } from '../vocabulary/ports.ts';
import type { Demand, RateLimit } from '../vocabulary/store-contract.ts';
import { spend } from './cell-rate.ts';

/** The bucket of one identity's messages in this process. All its connections share it. */
export interface IdentityShare {
  readonly key: string;
  /** Theoretical arrival time of the next message. */
  tat: number;
  limit: RateLimit;
  /** The size of that part: 1 for the whole limit. */
  part: number;
  /** Messages since the last report to the other nodes, refused ones included. */
  hits: number;
  holders: number;
}

/** Resolves with this node's part of each limit, or with `undefined` if the store does not answer. */
export type AskForShares = (
  demands: readonly Demand[],
  interval: number,
) => Promise<readonly number[] | undefined>;

const MOST_LEAVING = 10_000;
/** Bounds in milliseconds what a node that slept reports of its demand. */
const LONGEST_INTERVAL = 10_000;

/** Returns the bucket's new state, or the negative number of milliseconds until one message fits. */
export function request(share: IdentityShare, now: number): number {
  share.hits++;
  return spend(share.tat, now, share.limit);
}

/**
 * The message rate of one identity over all its connections. With several nodes, each has a part of the limit that
 * follows the demand, so no message waits for another node. After an identity moves to other nodes, all of them
 * together admit at most the burst and one interval's worth per node; then at most the limit.
 */
export class IdentityRates {
  readonly #shares = new Map<string, IdentityShare>();
  readonly #leaving = new Set<IdentityShare>();
  #toldAt = 0;
  #asking = false;

  constructor(
    readonly limit: RateLimit,
    readonly clock: Clock,
    readonly ask?: AskForShares,
  ) {}

  get size(): number {
    return this.#shares.size;
  }

  enter(subject: string): IdentityShare {
    if (this.#shares.size === 0) this.#toldAt = this.clock.monotonic();
    const key = `messages ${subject}`;
    let share = this.#shares.get(key);
    if (share === undefined) {
      share = { key, tat: 0, limit: this.limit, part: 1, hits: 0, holders: 0 };
      this.#shares.set(key, share);
    }
    share.holders++;
    this.#leaving.delete(share);
    return share;
  }

  /** Keeps the bucket until it is full, so that reconnecting resets no limit. */
  leave(share: IdentityShare): void {
    if (--share.holders > 0) return;
    this.#leaving.add(share);
    this.#forget(share, this.clock.monotonic());
    const [oldest] = this.#leaving;
    if (this.#leaving.size > MOST_LEAVING && oldest !== undefined)
      this.#forget(oldest, Number.POSITIVE_INFINITY);
  }

  tick(): void {
    const now = this.clock.monotonic();
    for (const share of this.#leaving) this.#forget(share, now);
    if (!this.#asking) this.#rebalance(now);
  }

  #forget(share: IdentityShare, now: number): void {
    if (share.tat > now) return;
    this.#leaving.delete(share);
    this.#shares.delete(share.key);
  }

  #rebalance(now: number): void {
    const interval = Math.min(now - this.#toldAt, LONGEST_INTERVAL);
    this.#toldAt = now;
    // A node with the whole limit and no demand has nothing to report.
    const asked = [...this.#shares.values()].filter(({ hits, part }) => hits > 0 || part < 1);
    if (this.ask === undefined || asked.length === 0 || interval <= 0) return;
    const demands = asked.map(({ key, hits }) => ({ key, hits }));
    for (const share of asked) share.hits = 0;
    this.#asking = true;
    this.ask(demands, interval)
      .then((parts) => this.#resize(asked, parts ?? []), ignore)
      .finally(() => {
        this.#asking = false;
      });
  }

  /** `tat` is a time, so a debt stays the same. */
  #resize(asked: readonly IdentityShare[], parts: readonly number[]): void {
    const { interval, burst } = this.limit;
    for (const [i, share] of asked.entries()) {
      const part = Math.min(parts[i] ?? 0, 1);
      if (!(part > 0)) continue;
      share.part = part;
      share.limit = { interval: interval / part, burst: burst * part };
    }
  }
}

function ignore(): void {}
