import type { Acquired, Lease, LeaseRequest } from '../vocabulary/store.ts';

/** Keys that are kept although nothing is held of them: a map that is emptied and filled again makes a new table each time. */
const KEPT = 64;

/** How much is held of one key; all leases of that key lead here, and hold no text of their own. */
interface Count {
  readonly key: string;
  held: number;
}

/** Slots of one process, counted by key; bounded by what is held. */
export class SlotTable {
  readonly #counts = new Map<string, Count>();

  /** How many keys are remembered. */
  get size(): number {
    return this.#counts.size;
  }

  /** The index of the first slot that has no room, or -1. */
  full(leases: readonly LeaseRequest[]): number {
    return leases.findIndex(({ key, cap }) => (this.#counts.get(key)?.held ?? 0) >= cap);
  }

  acquire(leases: readonly LeaseRequest[]): Acquired {
    const full = this.full(leases);
    return full === -1 ? { lease: this.hold(leases) } : { full };
  }

  /** Counts what somebody else has granted, whether there is room or not. */
  hold(leases: readonly LeaseRequest[]): Lease {
    return new HeldLease(
      this,
      leases.map(({ key }) => this.#hold(key)),
    );
  }

  /** For a lease: one of them is held no more. */
  letGo(count: Count): void {
    count.held--;
    if (count.held === 0 && this.#counts.size > KEPT) this.#counts.delete(count.key);
  }

  #hold(key: string): Count {
    let count = this.#counts.get(key);
    if (count === undefined) {
      count = { key, held: 0 };
      this.#counts.set(key, count);
    }
    count.held++;
    return count;
  }
}

const NOTHING: readonly Count[] = [];

class HeldLease implements Lease {
  #counts: readonly Count[];

  constructor(
    readonly table: SlotTable,
    counts: readonly Count[],
  ) {
    this.#counts = counts;
  }

  release(): void {
    for (const count of this.#counts) this.table.letGo(count);
    this.#counts = NOTHING;
  }

  /** What is held in this process's memory is lost with it. */
  onLost(): void {}
}
