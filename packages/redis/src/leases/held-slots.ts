import type { HeldLease, Slot } from './held-lease.ts';

/** Slots of one key, as many as one script is given. */
export interface Part {
  readonly key: string;
  readonly slots: readonly Slot[];
}

/** How many holders a script is given at most: a few hundred take Redis less than a millisecond. */
const CHUNK = 250;

/** Slots by key; bounded by what this node holds. */
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

  /** Everything in it, each time as much as one script takes; `together` says whether it takes several keys. */
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
        // A script is told one cap for each part.
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

/** The key by which a chunk is sent. */
export function keyOfChunk([first]: readonly Part[]): string {
  return first?.key ?? '';
}

export function leasesOf(slots: Iterable<Slot>): Set<HeldLease> {
  return new Set([...slots].map(({ lease }) => lease));
}
