import { RotatingCursor } from './rotating-cursor.ts';

/** How many entries are looked at for each new key that finds the table full. */
const SWEEP = 4;

/** Theoretical arrival times by key. A full table evicts only recovered keys, which are like new ones. */
export class TatTable {
  readonly #tats = new Map<string, number>();
  readonly #cursor = new RotatingCursor(this.#tats);

  constructor(readonly maxKeys: number) {}

  get size(): number {
    return this.#tats.size;
  }

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
      const key = this.#cursor.next();
      if (key !== undefined && this.get(key) <= now) this.#tats.delete(key);
    }
  }
}
