/** Goes round the keys of a map, because looking at all of them at once would cost too much. */
export class RotatingCursor {
  #keys: Iterator<string, undefined>;

  constructor(readonly map: ReadonlyMap<string, unknown>) {
    this.#keys = map.keys();
  }

  /** The next key; `undefined` if the map is empty. */
  next(): string | undefined {
    const { value } = this.#keys.next();
    if (value !== undefined) return value;
    this.#keys = this.map.keys();
    return this.#keys.next().value;
  }
}
