import type { Generated } from './generator.ts';
import type { Expected } from './reference.ts';

/** How often what was generated and what came of it, so that a fuzz that meets little is seen to. */
export class Tally {
  readonly counts = new Map<string, number>();

  add({ kind, made }: Generated, expected: Expected): void {
    this.#count(kind);
    for (const name of made) this.#count(name);
    if ('reason' in expected) {
      this.#count(expected.reason);
      this.#count(`refused at ${expected.stage}`);
      return;
    }
    this.#count('delivered');
    this.#count(`delivered: ${expected.type}`);
    if (expected.changed) this.#count(`changed: ${expected.type}`);
  }

  #count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }
}
