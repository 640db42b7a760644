/** How many entries are looked at for each new key that finds the table full. */
const SWEEP = 4;

/**
 * Theoretical arrival times by key. Bounded: a full table takes in a new key only in the place of one that has fully
 * recovered, which is as good as new. A hand that goes round looks for those, so that a few in long debt hide nobody.
 */
export class TatTable {
  readonly #tats = new Map<string, number>();
  #hand = this.#tats.keys();

  constructor(readonly maxKeys: number) {}

  get size(): number {
    return this.#tats.size;
  }

  /** 0 for a key that is not there. */
  get(key: string): number {
    return this.#tats.get(key) ?? 0;
  }

  has(key: string): boolean {
    return this.#tats.has(key);
  }

  set(key: string, tat: number): void {
    this.#tats.set(key, tat);
  }

  delete(key: string): void {
    this.#tats.delete(key);
  }

  hasRoomFor(key: string, now: number): boolean {
    if (this.#tats.size < this.maxKeys || this.#tats.has(key)) return true;
    this.#sweep(now);
    return this.#tats.size < this.maxKeys;
  }

  #sweep(now: number): void {
    for (let looked = 0; looked < SWEEP; looked++) {
      let next = this.#hand.next();
      if (next.done === true) {
        this.#hand = this.#tats.keys();
        next = this.#hand.next();
      }
      if (next.done === true) return;
      if (this.get(next.value) <= now) this.#tats.delete(next.value);
    }
  }
}
