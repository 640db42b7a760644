import type { HeldLease, Slot } from './held-lease.ts';

export interface Part {
  readonly key: string;
  readonly slots: readonly Slot[];
}

/** Holders in one script. Redis needs less than a millisecond for a few hundred. */
const CHUNK = 250;

/** Slots by key. Bounded by what this node holds. */
export class SlotTable {
  readonly #keys = new Map<string, Map<string, Slot>>();

  get isEmpty(): boolean {
    return this.#keys.size === 0;
  }

  add(slots: Iterable<Slot>): void {
    for (const slot of slots) {
      const holders = this.#keys.get(slot.key);
      if (holders === undefined) this.#keys.set(slot.key, new Map([[slot.holder, slot]]));
      else holders.set(slot.holder, slot);
    }
  }

  delete(slots: Iterable<Slot>): void {
    for (const { key, holder } of slots) {
      const holders = this.#keys.get(key);
      if (holders?.delete(holder) && holders.size === 0) this.#keys.delete(key);
    }
  }

  find(key: string, holder: string): Slot | undefined {
    return this.#keys.get(key)?.get(holder);
  }

  /** All slots in chunks for one script each. `together`: a script may take several keys. */
  *chunks(together: boolean): Generator<readonly Part[]> {
    let chunk: Part[] = [];
    let size = 0;
    for (const [key, holders] of this.#keys) {
      let slots: Slot[] = [];
      let cap: number | undefined;
      const endPart = (): void => {
        if (slots.length > 0) chunk.push({ key, slots });
        slots = [];
      };
      for (const slot of holders.values()) {
        // A script takes one cap per part.
        if (cap !== slot.cap) endPart();
        cap = slot.cap;
        slots.push(slot);
        if (++size < CHUNK) continue;
        endPart();
        yield chunk;
        chunk = [];
        size = 0;
      }
      endPart();
      if (together || chunk.length === 0) continue;
      yield chunk;
      chunk = [];
      size = 0;
    }
    if (chunk.length > 0) yield chunk;
  }
}

export function keyOfChunk([first]: readonly Part[]): string {
  return first?.key ?? '';
}

export function leasesOf(slots: Iterable<Slot>): Set<HeldLease> {
  return new Set([...slots].map(({ lease }) => lease));
}
