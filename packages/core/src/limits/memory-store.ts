import type { Acquired, Clock, Hit, Lease, LeaseRequest, RateLimit, Revocation, Store } from '../ports.ts';
import { ALLOWED, retryAfter, spend } from './rate.ts';

export interface MemoryStoreOptions {
  readonly clock: Clock;
  /** The most keys whose rate is remembered. Default: 100,000, which is about 16 MiB. */
  readonly maxKeys?: number;
  /** The most tickets that wait to be redeemed. Default: 100,000. Beyond: `put` throws. */
  readonly maxValues?: number;
}

/** How many of the oldest entries are looked at when the table is full. */
const SWEEP = 8;

/** The store of one process. Every operation answers at once. */
export function memoryStore({ clock, maxKeys = 100_000, maxValues = 100_000 }: MemoryStoreOptions): Store {
  const fine = new RateTable(maxKeys);
  const coarse = new RateTable(Math.ceil(maxKeys / 4));
  const held = new Map<string, number>();
  const values = new ValueTable(maxValues);
  const subscribers = new Set<(revocation: Revocation) => void>();

  const withTable = (
    key: string,
    coarser: string,
    now: number,
    use: (table: RateTable, key: string) => Hit,
  ): Hit => {
    if (fine.hasRoomFor(key, now)) return use(fine, key);
    return coarse.hasRoomFor(coarser, now) ? use(coarse, coarser) : use(coarse, EVERYONE);
  };
  const full = (leases: readonly LeaseRequest[]): number =>
    leases.findIndex(({ key, cap }) => (held.get(key) ?? 0) >= cap);

  return {
    hit(key, coarser, limit) {
      const now = clock.monotonic();
      return withTable(key, coarser, now, (table, name) => table.hit(name, now, limit));
    },
    peek(key, coarser, limit) {
      const now = clock.monotonic();
      return withTable(key, coarser, now, (table, name) => table.peek(name, now, limit));
    },
    acquire(leases): Acquired {
      const index = full(leases);
      if (index !== -1) return { full: index };
      for (const { key } of leases) held.set(key, (held.get(key) ?? 0) + 1);
      return {
        lease: new HeldLease(
          held,
          leases.map(({ key }) => key),
        ),
      };
    },
    full,
    put: (key, value, ttl) => values.put(key, value, clock.monotonic(), ttl),
    redeem: (key) => values.redeem(key, clock.monotonic()),
    revoke(revocation) {
      for (const subscriber of subscribers) subscriber(revocation);
    },
    subscribe(listener) {
      subscribers.add(listener);
      return () => subscribers.delete(listener);
    },
  };
}

/** The bucket of all new keys once even the coarser table is full. */
const EVERYONE = '*';

/**
 * Theoretical arrival times by key, least recently hit first. At the bound only entries that have fully recovered
 * are forgotten, so that flooding the table gives nobody their tokens back early.
 */
class RateTable {
  readonly #tats = new Map<string, number>();

  constructor(readonly maxKeys: number) {}

  hasRoomFor(key: string, now: number): boolean {
    if (this.#tats.size < this.maxKeys || this.#tats.has(key)) return true;
    let looked = 0;
    for (const [oldest, tat] of this.#tats) {
      if (tat <= now) this.#tats.delete(oldest);
      if (++looked === SWEEP) break;
    }
    return this.#tats.size < this.maxKeys;
  }

  hit(key: string, now: number, limit: RateLimit): Hit {
    const tat = spend(this.#tats.get(key) ?? 0, now, limit);
    if (tat < 0) return retryAfter(-tat);
    this.#tats.delete(key);
    this.#tats.set(key, tat);
    return ALLOWED;
  }

  peek(key: string, now: number, limit: RateLimit): Hit {
    const tat = spend(this.#tats.get(key) ?? 0, now, limit);
    return tat < 0 ? retryAfter(-tat) : ALLOWED;
  }
}

/** Values that can be taken out once, until they expire. */
class ValueTable {
  readonly #values = new Map<string, { readonly value: string; readonly until: number }>();

  constructor(readonly maxValues: number) {}

  put(key: string, value: string, now: number, ttl: number): void {
    for (const [oldest, { until }] of this.#values) {
      if (until > now) break;
      this.#values.delete(oldest);
    }
    if (this.#values.size >= this.maxValues)
      throw new RangeError(`More than ${this.maxValues} values wait to be redeemed.`);
    this.#values.set(key, { value, until: now + ttl });
  }

  redeem(key: string, now: number): string | undefined {
    const found = this.#values.get(key);
    this.#values.delete(key);
    return found !== undefined && now < found.until ? found.value : undefined;
  }
}

class HeldLease implements Lease {
  #keys: readonly string[];

  constructor(
    readonly held: Map<string, number>,
    keys: readonly string[],
  ) {
    this.#keys = keys;
  }

  release(): void {
    for (const key of this.#keys) {
      const count = (this.held.get(key) ?? 0) - 1;
      if (count > 0) this.held.set(key, count);
      else this.held.delete(key);
    }
    this.#keys = [];
  }
}
