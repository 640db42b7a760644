import type { Ban, BanTerms } from '../vocabulary/store-contract.ts';
import { RotatingCursor } from './rotating-cursor.ts';

interface Entry {
  readonly until: number;
  readonly forgottenAt: number;
  readonly count: number;
}

/** How many entries are compared to find one to evict. */
const LOOKS = 64;

/** Bans and their repetitions by key. At its bound it evicts a ban that ends soon. */
export class BanTable {
  readonly #entries = new Map<string, Entry>();
  readonly #cursor = new RotatingCursor(this.#entries);

  constructor(readonly maxEntries: number) {}

  get size(): number {
    return this.#entries.size;
  }

  left(key: string, now: number): number {
    const entry = this.#entries.get(key);
    return entry === undefined ? 0 : Math.max(0, entry.until - now);
  }

  get(key: string, now: number): Ban | undefined {
    const entry = this.#entries.get(key);
    return entry === undefined || entry.until <= now
      ? undefined
      : { key, until: entry.until, count: entry.count };
  }

  add(key: string, { duration, growth, longest, memory }: BanTerms, now: number): Ban {
    const earlier = this.#entries.get(key);
    const count = earlier !== undefined && now < earlier.forgottenAt ? earlier.count + 1 : 1;
    const until = now + Math.min(longest, duration * growth ** (count - 1));
    this.put({ key, until, count }, memory, now);
    return { key, until, count };
  }

  put({ key, until, count }: Ban, memory: number, now: number): void {
    if (!this.#entries.delete(key) && this.#entries.size >= this.maxEntries) this.#makeRoom(now);
    this.#entries.set(key, { until, forgottenAt: until + memory, count });
  }

  delete(key: string, now: number): boolean {
    const inForce = this.left(key, now) > 0;
    this.#entries.delete(key);
    return inForce;
  }

  list(now: number, limit: number): Ban[] {
    const bans: Ban[] = [];
    for (const [key, { until, count }] of this.#entries) {
      if (bans.length === limit) break;
      if (until > now) bans.push({ key, until, count });
    }
    return bans;
  }

  #makeRoom(now: number): void {
    let first: string | undefined;
    let earliest = Number.POSITIVE_INFINITY;
    for (let looked = Math.min(LOOKS, this.#entries.size); looked > 0; looked--) {
      const key = this.#cursor.next() as string;
      const { until, forgottenAt } = this.#entries.get(key) as Entry;
      const end = forgottenAt <= now ? Number.NEGATIVE_INFINITY : until;
      if (end < earliest) [first, earliest] = [key, end];
    }
    if (first !== undefined) this.#entries.delete(first);
  }
}
