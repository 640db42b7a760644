import { systemClock } from '../vocabulary/clock.ts';
import { refuseUnknown } from '../vocabulary/option-checks.ts';
import type { Clock } from '../vocabulary/ports.ts';
import type { Hit, PrecheckAnswer, Store, StoreListener } from '../vocabulary/store-contract.ts';
import { BanTable } from './ban-table.ts';
import { RateTables } from './rate-table.ts';
import { SlotTable } from './slot-table.ts';
import { ValueTable } from './value-table.ts';

/** Options of `memoryStore()`: how much one process remembers. */
export interface MemoryStoreOptions {
  /** What time it is. Default: the machine's own time. */
  readonly clock?: Clock;
  /**
   * How many keys have a rate of their own. Default: 100,000, which is about 16 MiB. Beyond: new keys share wider
   * ones.
   */
  readonly maxKeys?: number;
  /** How many tickets can wait to be redeemed. Default: 100,000. Beyond: `put` throws. */
  readonly maxValues?: number;
  /** How many bans are remembered. Default: 10,000. Beyond: a ban that ends soon is forgotten. */
  readonly maxBans?: number;
}

/**
 * A store for one process. Every operation is synchronous.
 *
 * @example
 * ```ts
 * import { anonymous, createGuard, memoryStore, Type } from '@sallyport/core';
 *
 * export const guard = createGuard({
 *   auth: [anonymous()],
 *   messages: { say: Type.Object({}) },
 *   store: memoryStore({ maxKeys: 1_000_000 }),
 * });
 * ```
 */
export function memoryStore(options: MemoryStoreOptions = {}): Store {
  refuseUnknown(options, ['clock', 'maxKeys', 'maxValues', 'maxBans'], 'memoryStore()');
  return new MemoryStore(options);
}

class MemoryStore implements Store {
  readonly #clock: Clock;
  readonly #rates: RateTables;
  readonly #slots = new SlotTable();
  readonly #values: ValueTable;
  readonly #bans: BanTable;
  readonly #listeners = new Set<StoreListener>();

  constructor({
    clock = systemClock,
    maxKeys = 100_000,
    maxValues = 100_000,
    maxBans = 10_000,
  }: MemoryStoreOptions) {
    this.#clock = clock;
    this.#rates = new RateTables(maxKeys);
    this.#values = new ValueTable(maxValues);
    this.#bans = new BanTable(maxBans);
  }

  precheck({ bans, hits, leases }: Parameters<Store['precheck']>[0]): PrecheckAnswer {
    const wall = this.#clock.now();
    const bannedFor = bans.reduce((longest, key) => Math.max(longest, this.#bans.left(key, wall)), 0);
    if (bannedFor > 0) return { bannedFor, hits: [], full: -1 };
    const now = this.#clock.monotonic();
    const taken: Hit[] = [];
    for (const request of hits) {
      const hit = this.#rates.hit(request, now);
      taken.push(hit);
      if (!hit.allowed) break;
    }
    return { bannedFor: 0, hits: taken, full: this.#slots.full(leases) };
  }

  charge(request: Parameters<Store['charge']>[0]): void {
    this.#rates.charge(request, this.#clock.monotonic());
  }

  acquire(leases: Parameters<Store['acquire']>[0]): ReturnType<SlotTable['acquire']> {
    return this.#slots.acquire(leases);
  }

  put(key: string, value: string, ttl: number): void {
    this.#values.put(key, value, this.#clock.monotonic(), ttl);
  }

  redeem(key: string): string | undefined {
    return this.#values.redeem(key, this.#clock.monotonic());
  }

  ban(key: string, terms: Parameters<Store['ban']>[1]): ReturnType<BanTable['add']> {
    const ban = this.#bans.add(key, terms, this.#clock.now());
    for (const listener of this.#listeners) listener.banned(ban);
    return ban;
  }

  unban(key: string): boolean {
    const lifted = this.#bans.delete(key, this.#clock.now());
    for (const listener of this.#listeners) listener.unbanned(key);
    return lifted;
  }

  bans(limit: number): ReturnType<BanTable['list']> {
    return this.#bans.list(this.#clock.now(), limit);
  }

  revoke(revocation: Parameters<Store['revoke']>[0]): void {
    for (const listener of this.#listeners) listener.revoked(revocation);
  }

  subscribe(listener: StoreListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  staleness(): number {
    return 0;
  }

  shares(demands: Parameters<Store['shares']>[0]): number[] {
    return demands.map(() => 1);
  }

  ping(): void {}
}
