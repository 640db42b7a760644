import { isNode } from './closed.ts';

/** What a short message may cost in any case. */
const LEAST = 4_000;

/**
 * Bounds the work on a message that does not fit. A check of a value costs the value's size: a unit for each value and
 * key, and one for each character of a text. Without a bound, each form of a union that is tried inside a form
 * multiplies the work, so that a few kilobytes take seconds.
 */
export class Effort {
  readonly #sizes = new Map<object, number>();
  #left: number;

  /** As many units as `multiple` times the size of the message. */
  constructor(message: unknown, multiple: number) {
    this.#left = Math.max(LEAST, multiple * this.#measure(message));
  }

  /** Pays for a check of a value of the message; `false` when the effort is spent. */
  spend(value: unknown): boolean {
    return this.pay(this.#sizeOf(value));
  }

  pay(units: number): boolean {
    this.#left -= units;
    return this.#left >= 0;
  }

  #sizeOf(value: unknown): number {
    if (typeof value === 'string') return 1 + value.length;
    return typeof value === 'object' && value !== null ? (this.#sizes.get(value) ?? 1) : 1;
  }

  #measure(value: unknown): number {
    let size = this.#sizeOf(value);
    if (Array.isArray(value)) for (const item of value) size += this.#measure(item);
    else if (value instanceof Uint8Array) size += value.byteLength;
    else if (isNode(value)) for (const key in value) size += 1 + this.#measure(value[key]);
    else return size;
    this.#sizes.set(value as object, size);
    return size;
  }
}
