/** Values by name. Equal values are stored once. */
export class Shelf<T> {
  readonly #things = new Map<string, T | undefined>();

  /** Stores a value under the first name that is free or holds an equal value, and returns that name. */
  put(names: readonly [string, ...string[]], thing: T): string {
    const same = JSON.stringify(thing);
    const taken = names.map(keyOf).find((key) => {
      return !this.#things.has(key) || JSON.stringify(this.#things.get(key)) === same;
    });
    const key = taken ?? this.reserve(names.at(-1) as string);
    this.#things.set(key, thing);
    return key;
  }

  /** Reserves a name for a value that `fill` stores later. */
  reserve(name: string): string {
    const key = keyOf(name);
    let free = key;
    for (let i = 2; this.#things.has(free); i++) free = `${key}.${i}`;
    this.#things.set(free, undefined);
    return free;
  }

  fill(key: string, thing: T): void {
    this.#things.set(key, thing);
  }

  /** `undefined` if empty. `__proto__` is a key like any other. */
  get record(): Record<string, T> | undefined {
    if (this.#things.size === 0) return undefined;
    return Object.fromEntries(this.#things) as Record<string, T>;
  }
}

/** A name that is a valid key of the document and needs no escaping in a reference. */
function keyOf(name: string): string {
  return name.replace(/[^\w.-]/g, '_') || '_';
}
