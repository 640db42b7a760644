import type { Clock } from '../vocabulary/ports.ts';
import type { RateLimit } from '../vocabulary/store-contract.ts';
import { spend } from './cell-rate.ts';
import { TatTable } from './tat-table.ts';

/**
 * Counts offences that only the peer itself can commit, and bans above the limit. A full table takes no new key: with
 * a shared count, one client would be banned for another's offences.
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
    this.#tats.delete(key);
    this.ban(key);
  }
}
