import type { Hit, HitRequest, RateLimit } from '../store.ts';
import { hitOf } from './rate.ts';

/** How many of the oldest entries are looked at when the table is full. */
const SWEEP = 8;
/** The bucket of all new keys once even the widest table is full. */
const EVERYONE = '*';

/**
 * Buckets by key, in tables from fine to wide. At its bound a table forgets only entries that have fully recovered, and
 * new keys share the bucket of a wider key, so that flooding a table gives nobody their tokens back early.
 */
export class RateTables {
  readonly #tables: readonly RateTable[];

  /** The finest table has room for `maxKeys`, each wider one for a quarter of the one before. */
  constructor(maxKeys: number, levels = 3) {
    this.#tables = Array.from(
      { length: levels },
      (_, level) => new RateTable(Math.ceil(maxKeys / 4 ** level)),
    );
  }

  get size(): number {
    return this.#tables.reduce((sum, { size }) => sum + size, 0);
  }

  hit({ keys, limit, cost }: HitRequest, now: number): Hit {
    const [table, key] = this.#bucket(keys, now);
    return table.hit(key, now, limit, cost);
  }

  /** Takes hits even where they do not fit. */
  charge({ keys, limit, cost }: HitRequest, now: number): void {
    const [table, key] = this.#bucket(keys, now);
    table.charge(key, now, limit, cost);
  }

  #bucket(keys: readonly string[], now: number): [RateTable, string] {
    const widest = this.#tables.length - 1;
    for (const [level, table] of this.#tables.entries()) {
      const key = keys[Math.min(level, keys.length - 1)] as string;
      if (table.hasRoomFor(key, now)) return [table, key];
      if (level === widest) return [table, EVERYONE];
    }
    throw new RangeError('There is no table.');
  }
}

/** Theoretical arrival times by key, least recently hit first. */
class RateTable {
  readonly #tats = new Map<string, number>();

  constructor(readonly maxKeys: number) {}

  get size(): number {
    return this.#tats.size;
  }

  hasRoomFor(key: string, now: number): boolean {
    if (this.#tats.size < this.maxKeys || this.#tats.has(key)) return true;
    let looked = 0;
    for (const [oldest, tat] of this.#tats) {
      if (tat <= now) this.#tats.delete(oldest);
      if (++looked === SWEEP) break;
    }
    return this.#tats.size < this.maxKeys;
  }

  hit(key: string, now: number, limit: RateLimit, cost: number): Hit {
    const { hit, next } = hitOf(this.#tats.get(key) ?? 0, now, limit, cost);
    if (hit.allowed && cost > 0) this.#set(key, next);
    return hit;
  }

  /** Never further than a full burst of debt, which would take for ever to pay off. */
  charge(key: string, now: number, { interval, burst }: RateLimit, cost: number): void {
    const next = Math.max(this.#tats.get(key) ?? 0, now) + cost * interval;
    this.#set(key, Math.min(next, now + burst * interval));
  }

  /** Least recently hit first. */
  #set(key: string, tat: number): void {
    this.#tats.delete(key);
    this.#tats.set(key, tat);
  }
}
