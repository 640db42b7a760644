import type { Hit, HitRequest, RateLimit } from '../vocabulary/store-contract.ts';
import { hitOf } from './cell-rate.ts';
import { TatTable } from './tat-table.ts';

/**
 * Buckets by key, in tables from fine to wide. A full table forgets only buckets that have recovered; a new key then
 * shares the bucket of a wider key, and later inherits its debt. So flooding the tables resets nobody's rate.
 */
export class RateTables {
  readonly #tables: readonly TatTable[];

  /** The finest table holds `maxKeys`, each wider one a quarter of the one before. */
  constructor(maxKeys: number, levels = 3) {
    this.#tables = Array.from(
      { length: levels },
      (_, level) => new TatTable(Math.ceil(maxKeys / 4 ** level)),
    );
  }

  get size(): number {
    return this.#tables.reduce((sum, { size }) => sum + size, 0);
  }

  hit({ keys, limit, cost }: HitRequest, now: number): Hit {
    const { table, key, tat } = this.#bucket(keys, limit, now);
    const { hit, next } = hitOf(tat, now, limit, cost);
    if (hit.allowed && cost > 0) table.set(key, next);
    return hit;
  }

  /** Counts hits even if they do not fit, up to a debt of one full burst. */
  charge({ keys, limit, cost }: HitRequest, now: number): void {
    const { table, key, tat } = this.#bucket(keys, limit, now);
    const next = Math.max(tat, now) + cost * limit.interval;
    table.set(key, Math.max(tat, Math.min(next, now + limit.burst * limit.interval)));
  }

  #bucket(keys: readonly string[], limit: RateLimit, now: number): Bucket {
    for (let level = 0; level < this.#tables.length; level++) {
      const table = this.#tables[level] as TatTable;
      const key = keyAt(keys, level);
      if (!table.hasRoomFor(key, now)) continue;
      return { table, key, tat: table.has(key) ? table.get(key) : this.#sharedDebt(keys, limit, level) };
    }
    const widest = this.#tables.at(-1) as TatTable;
    const key = everyone(limit);
    return { table: widest, key, tat: widest.get(key) };
  }

  /** The debt that a new key inherits from the buckets that it shared. */
  #sharedDebt(keys: readonly string[], limit: RateLimit, level: number): number {
    let tat = (this.#tables.at(-1) as TatTable).get(everyone(limit));
    for (let wider = level + 1; wider < this.#tables.length; wider++) {
      tat = Math.max(tat, (this.#tables[wider] as TatTable).get(keyAt(keys, wider)));
    }
    return tat;
  }
}

interface Bucket {
  readonly table: TatTable;
  readonly key: string;
  readonly tat: number;
}

function keyAt(keys: readonly string[], level: number): string {
  return keys[Math.min(level, keys.length - 1)] as string;
}

/** The bucket of all new keys once every table is full. Debts of two limits cannot be compared. */
function everyone({ interval, burst }: RateLimit): string {
  return `* ${interval} ${burst}`;
}
