import type { Acquired, Lease, LeaseRequest } from '../store.ts';

/** Slots of one process, counted by key; bounded by what is held. */
export class SlotTable {
  readonly #held = new Map<string, number>();

  /** The index of the first slot that has no room, or -1. */
  full(leases: readonly LeaseRequest[]): number {
    return leases.findIndex(({ key, cap }) => (this.#held.get(key) ?? 0) >= cap);
  }

  acquire(leases: readonly LeaseRequest[]): Acquired {
    const full = this.full(leases);
    return full === -1 ? { lease: this.hold(leases) } : { full };
  }

  /** Counts what somebody else has granted, whether there is room or not. */
  hold(leases: readonly LeaseRequest[]): Lease {
    const keys = leases.map(({ key }) => key);
    for (const key of keys) this.#held.set(key, (this.#held.get(key) ?? 0) + 1);
    return new HeldLease(this.#held, keys);
  }
}

class HeldLease implements Lease {
  #keys: readonly string[];

  constructor(
    readonly held: Map<string, number>,
    keys: readonly string[],
  ) {
    this.#keys = keys;
  }

  release(): void {
    for (const key of this.#keys) {
      const count = (this.held.get(key) ?? 0) - 1;
      if (count > 0) this.held.set(key, count);
      else this.held.delete(key);
    }
    this.#keys = [];
  }

  /** What is held in this process's memory is lost with it. */
  onLost(): void {}
}
