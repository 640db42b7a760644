import { inParts } from '../in-parts.ts';
import type { Runner } from '../runner.ts';
import { RELEASE } from '../scripts/slot-scripts.ts';
import type { Slot } from './held-lease.ts';
import { keyOfChunk, type Part, SlotTable } from './held-slots.ts';

const RETRY = 1_000;

/**
 * Releases slots: those of one tick together, and again while the store is away. After the lease time they have
 * expired by themselves.
 */
export class Releases {
  #waiting = new SlotTable();
  readonly #lapsesAt = new WeakMap<Slot, number>();
  #scheduled = false;
  #flushing = false;

  constructor(
    readonly runner: Runner,
    readonly leaseTtl: number,
  ) {}

  add(slots: readonly Slot[]): void {
    if (slots.length === 0) return;
    const lapsesAt = performance.now() + this.leaseTtl;
    for (const slot of slots) this.#lapsesAt.set(slot, lapsesAt);
    this.#waiting.add(slots);
    if (this.#scheduled || this.#flushing) return;
    this.#scheduled = true;
    setImmediate(() => void this.#flush());
  }

  async #flush(): Promise<void> {
    this.#scheduled = false;
    this.#flushing = true;
    const batch = this.#waiting;
    this.#waiting = new SlotTable();
    const given: Slot[] = [];
    const failed = await inParts(
      this.runner,
      batch.chunks(!this.runner.port.cluster),
      keyOfChunk,
      async (parts) => {
        await this.#release(parts);
        given.push(...parts.flatMap(({ slots }) => slots));
      },
    ).then(
      () => false,
      () => true,
    );
    batch.delete(given);
    this.#flushing = false;
    this.#keep(batch);
    if (this.#waiting.isEmpty) return;
    this.#scheduled = true;
    if (failed) setTimeout(() => void this.#flush(), RETRY).unref();
    else setImmediate(() => void this.#flush());
  }

  async #release(parts: readonly Part[]): Promise<void> {
    const args = parts.flatMap(({ slots }) => [slots.length, ...slots.map(({ holder }) => holder)]);
    await this.runner.run(
      RELEASE,
      parts.map(({ key }) => key),
      args,
    );
  }

  #keep(batch: SlotTable): void {
    const now = performance.now();
    for (const parts of batch.chunks(true)) {
      for (const { slots } of parts)
        this.#waiting.add(slots.filter((slot) => (this.#lapsesAt.get(slot) ?? 0) > now));
    }
  }
}
