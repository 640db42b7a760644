import type { Clock } from '../vocabulary/ports.ts';
import type { Demand, RateLimit } from '../vocabulary/store.ts';
import { spend } from './cell-rate.ts';

/** The bucket of one identity's messages in this process: one for all its connections. */
export interface IdentityShare {
  readonly key: string;
  /** Theoretical arrival time of the next message. */
  tat: number;
  /** This process's part of the limit. */
  limit: RateLimit;
  /** How large that part is: 1 for all of it. */
  part: number;
  /** Messages since the other nodes were last told, refused ones included. */
  hits: number;
  /** Open connections. */
  holders: number;
}

/** Resolves with this node's part of each limit; with `undefined` while nobody can say. */
export type AskForShares = (
  demands: readonly Demand[],
  interval: number,
) => Promise<readonly number[] | undefined>;

/** How many identities without a connection are remembered until they have paid off what they owe. */
const MOST_LEAVING = 10_000;
/** Milliseconds: what a node that slept tells of its demand must not count for as long as it slept. */
const LONGEST_INTERVAL = 10_000;

/** Asks for one message more: the bucket's new state, or the negative number of milliseconds until it fits. */
export function request(share: IdentityShare, now: number): number {
  share.hits++;
  return spend(share.tat, now, share.limit);
}

/**
 * How fast one identity may send over all its connections. In one process that is exact. Of several, each has a part of
 * the limit, which follows the demand: no message waits for another node. After a change of where an identity sends, all
 * of them together let through at most the burst and one interval's worth for each node; then at most the limit.
 */
export class IdentityRates {
  /** Bounded by the open connections, and by `MOST_LEAVING`. */
  readonly #shares = new Map<string, IdentityShare>();
  readonly #leaving = new Set<IdentityShare>();
  #toldAt = 0;
  #asking = false;

  constructor(
    readonly limit: RateLimit,
    readonly clock: Clock,
    /** Absent where there is one process only. */
    readonly ask?: AskForShares,
  ) {}

  /** How many buckets there are. */
  get size(): number {
    return this.#shares.size;
  }

  /** A connection of this subject has opened. */
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

  /** One has closed. Who has sent too much does not get rid of that by connecting anew. */
  leave(share: IdentityShare): void {
    if (--share.holders > 0) return;
    this.#leaving.add(share);
    this.#forget(share, this.clock.monotonic());
    const [oldest] = this.#leaving;
    if (this.#leaving.size > MOST_LEAVING && oldest !== undefined)
      this.#forget(oldest, Number.POSITIVE_INFINITY);
  }

  /** Once a second: forgets who has recovered, and has the limits shared out anew. */
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
    // Whoever has all of a limit and asks for nothing has nothing to tell.
    const asked = [...this.#shares.values()].filter(({ hits, part }) => hits > 0 || part < 1);
    if (this.ask === undefined || asked.length === 0 || interval <= 0) return;
    const demands = asked.map(({ key, hits }) => ({ key, hits }));
    for (const share of asked) share.hits = 0;
    this.#asking = true;
    this.ask(demands, interval)
      // While the store is away, the last parts stay.
      .then((parts) => this.#resize(asked, parts ?? []), ignore)
      .finally(() => {
        this.#asking = false;
      });
  }

  /** What somebody owes stays what it is, in time. */
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
