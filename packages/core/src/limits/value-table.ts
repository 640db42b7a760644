/** Values that can be taken out once, until they expire. At its bound it takes no more. */
export class ValueTable {
  readonly #values = new Map<string, { readonly value: string; readonly until: number }>();

  constructor(readonly maxValues: number) {}

  /** @throws RangeError if it is full of values that have not expired. */
  put(key: string, value: string, now: number, ttl: number): void {
    for (const [oldest, { until }] of this.#values) {
      if (until > now) break;
      this.#values.delete(oldest);
    }
    if (this.#values.size >= this.maxValues)
      throw new RangeError(`More than ${this.maxValues} values wait to be redeemed.`);
    this.#values.set(key, { value, until: now + ttl });
  }

  redeem(key: string, now: number): string | undefined {
    const found = this.#values.get(key);
    this.#values.delete(key);
    return found !== undefined && now < found.until ? found.value : undefined;
  }
}
