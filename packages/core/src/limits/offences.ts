import type { Clock } from '../vocabulary/ports.ts';
import type { RateLimit } from '../vocabulary/store.ts';
import { spend } from './cell-rate.ts';
import { TatTable } from './tat-table.ts';

/**
 * Counts what only the peer itself can do: failed authentications, denied messages, floods. Whoever does more of it than
 * the limit allows is banned. Counted in this process, since a ban is told to all. Bounded: a full table takes in nobody new
 * until somebody has recovered, since sharing a count would ban one for what another did.
 */
export class Offences {
  readonly #tats: TatTable;

  constructor(
    readonly clock: Clock,
    readonly limit: RateLimit,
    readonly ban: (key: string) => void,
    maxKeys = 100_000,
  ) {
    this.#tats = new TatTable(maxKeys);
  }

  get size(): number {
    return this.#tats.size;
  }

  count(key: string): void {
    const now = this.clock.monotonic();
    if (!this.#tats.hasRoomFor(key, now)) return;
    const tat = spend(this.#tats.get(key), now, this.limit);
    if (tat >= 0) {
      this.#tats.set(key, tat);
      return;
    }
    // Whoever is banned begins anew.
    this.#tats.delete(key);
    this.ban(key);
  }
}
