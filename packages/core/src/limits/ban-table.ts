import type { Ban, BanTerms } from '../vocabulary/store.ts';

interface Entry {
  /** Wall-clock milliseconds. */
  readonly until: number;
  readonly forgottenAt: number;
  readonly count: number;
}

/** How many entries are looked at for one that makes room. */
const LOOKS = 64;

/** Who is kept out, and how often they have been before. Bounded: at the bound an entry that ends soon makes room. */
export class BanTable {
  readonly #entries = new Map<string, Entry>();
  #hand = this.#entries.keys();

  constructor(readonly maxEntries: number) {}

  get size(): number {
    return this.#entries.size;
  }

  /** Milliseconds until it ends; 0 where there is none. */
  left(key: string, now: number): number {
    const entry = this.#entries.get(key);
    return entry === undefined ? 0 : Math.max(0, entry.until - now);
  }

  /** The one in force. */
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

  /** Takes over a ban as it was decided elsewhere. */
  put({ key, until, count }: Ban, memory: number, now: number): void {
    if (!this.#entries.delete(key) && this.#entries.size >= this.maxEntries) this.#makeRoom(now);
    this.#entries.set(key, { until, forgottenAt: until + memory, count });
  }

  /** Whether there was one in force. */
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

  /** Forgets one that nobody has to remember, or else of those that it looks at the one that ends first. */
  #makeRoom(now: number): void {
    let first: string | undefined;
    let earliest = Number.POSITIVE_INFINITY;
    for (let looked = Math.min(LOOKS, this.#entries.size); looked > 0; looked--) {
      const key = this.#nextKey();
      const { until, forgottenAt } = this.#entries.get(key) as Entry;
      const end = forgottenAt <= now ? Number.NEGATIVE_INFINITY : until;
      if (end < earliest) [first, earliest] = [key, end];
    }
    if (first !== undefined) this.#entries.delete(first);
  }

  /** A hand that goes round, since a look at all of them would cost more than what earns a ban. */
  #nextKey(): string {
    let next = this.#hand.next();
    if (next.done === true) {
      this.#hand = this.#entries.keys();
      next = this.#hand.next();
    }
    return next.value as string;
  }
}
