import type { Acquired, Lease, LeaseRequest } from '../vocabulary/store-contract.ts';

/** Keys kept for reuse: a map that is emptied and filled again allocates a new table each time. */
const KEPT = 64;

/** Leases refer to this object instead of holding the key, which saves memory. */
interface Count {
  readonly key: string;
  held: number;
}

export class SlotTable {
  readonly #counts = new Map<string, Count>();

  get size(): number {
    return this.#counts.size;
  }

  full(leases: readonly LeaseRequest[]): number {
    return leases.findIndex(({ key, cap }) => (this.#counts.get(key)?.held ?? 0) >= cap);
  }

  acquire(leases: readonly LeaseRequest[]): Acquired {
    const full = this.full(leases);
    return full === -1 ? { lease: this.hold(leases) } : { full };
  }

  /** Takes the slots even beyond their caps, because the store has granted them. */
  hold(leases: readonly LeaseRequest[]): Lease {
    return new HeldLease(
      this,
      leases.map(({ key }) => this.#hold(key)),
    );
  }

  release(count: Count): void {
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
    for (const count of this.#counts) this.table.release(count);
    this.#counts = NOTHING;
  }

  /** Never called: the leases are lost only with the process. */
  onLost(): void {}
}
