import type { Acquired, Lease, LeaseRequest } from '../store.ts';

/** Slots of one process, counted by key; bounded by what is held. */
export class SlotTable {
  readonly #held = new SlotCounts();

  /** The index of the first slot that has no room, or -1. */
  full(leases: readonly LeaseRequest[]): number {
    return leases.findIndex(({ key, cap }) => this.#held.of(key) >= cap);
  }

  acquire(leases: readonly LeaseRequest[]): Acquired {
    const full = this.full(leases);
    return full === -1 ? { lease: this.hold(leases) } : { full };
  }

  /** Counts what somebody else has granted, whether there is room or not. */
  hold(leases: readonly LeaseRequest[]): Lease {
    const keys = leases.map(({ key }) => key);
    for (const key of keys) this.#held.add(key);
    return new HeldLease(this.#held, keys);
  }
}

/** Keys that are kept although nothing is held of them: a map that is emptied and filled again makes a new table each time. */
const KEPT = 64;

class SlotCounts {
  readonly #counts = new Map<string, number>();

  of(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  add(key: string): void {
    this.#counts.set(key, this.of(key) + 1);
  }

  remove(key: string): void {
    const left = this.of(key) - 1;
    if (left > 0 || this.#counts.size <= KEPT) this.#counts.set(key, Math.max(0, left));
    else this.#counts.delete(key);
  }
}

class HeldLease implements Lease {
  #keys: readonly string[];

  constructor(
    readonly held: SlotCounts,
    keys: readonly string[],
  ) {
    this.#keys = keys;
  }

  release(): void {
    for (const key of this.#keys) this.held.remove(key);
    this.#keys = [];
  }

  /** What is held in this process's memory is lost with it. */
  onLost(): void {}
}
