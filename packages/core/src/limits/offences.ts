import type { Clock } from '../ports.ts';
import type { RateLimit } from '../store.ts';
import { spend } from './rate.ts';

/** How many of the oldest entries are looked at when the table is full. */
const SWEEP = 8;

/**
 * Counts what only the peer itself can do: failed authentications, denied messages, floods. Whoever does more of it than
 * the limit allows is banned. Counted in this process, since a ban is told to all. Bounded: a full table takes in nobody new
 * until somebody has recovered, since sharing a count would ban one for what another did.
 */
export class Offences {
  readonly #tats = new Map<string, number>();

  constructor(
    readonly clock: Clock,
    readonly limit: RateLimit,
    readonly ban: (key: string) => void,
    readonly maxKeys = 100_000,
  ) {}

  get size(): number {
    return this.#tats.size;
  }

  count(key: string): void {
    const now = this.clock.monotonic();
    if (!this.#hasRoomFor(key, now)) return;
    const tat = spend(this.#tats.get(key) ?? 0, now, this.limit);
    this.#tats.delete(key);
    // Whoever is banned begins anew.
    if (tat < 0) this.ban(key);
    else this.#tats.set(key, tat);
  }

  #hasRoomFor(key: string, now: number): boolean {
    if (this.#tats.size < this.maxKeys || this.#tats.has(key)) return true;
    let looked = 0;
    for (const [oldest, tat] of this.#tats) {
      if (tat <= now) this.#tats.delete(oldest);
      if (++looked === SWEEP) break;
    }
    return this.#tats.size < this.maxKeys;
  }
}
