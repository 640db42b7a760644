/** Things under names of their own: the same thing is there once, however often it is put there. */
export class Shelf<T> {
  readonly #things = new Map<string, T | undefined>();

  /** Puts it under the first of the names that is free or holds the same, and returns that. */
  put(names: readonly [string, ...string[]], thing: T): string {
    const same = JSON.stringify(thing);
    const taken = names.map(keyOf).find((key) => {
      return !this.#things.has(key) || JSON.stringify(this.#things.get(key)) === same;
    });
    const key = taken ?? this.reserve(names.at(-1) as string);
    this.#things.set(key, thing);
    return key;
  }

  /** Keeps a name for what `fill` will put there. */
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

  /** All of it, `undefined` where there is nothing. A key such as `__proto__` is one as any other. */
  get record(): Record<string, T> | undefined {
    if (this.#things.size === 0) return undefined;
    return Object.fromEntries(this.#things) as Record<string, T>;
  }
}

/** A name as a key of the document may be, and as needs no escaping in a reference. */
function keyOf(name: string): string {
  return name.replace(/[^\w.-]/g, '_') || '_';
}
