import type { Acquired, Lease, LeaseRequest } from '../vocabulary/store-contract.ts';

/** Keys kept for reuse: a map that is emptied and filled again allocates a new table each time. */
const KEPT = 64;

/** Leases refer to this object instead of holding the key, which saves memory. */
interface Count {
  readonly key: string;
  held: number;
  /** Those that give way to newer ones, the oldest first. */
  replaceable?: Set<ReplaceableLease>;
}

export class SlotTable {
  readonly #counts = new Map<string, Count>();

  get size(): number {
    return this.#counts.size;
  }

  full(leases: readonly LeaseRequest[]): number {
    return leases.findIndex((lease) => !this.#fits(lease));
  }

  acquire(leases: readonly LeaseRequest[]): Acquired {
    const full = this.full(leases);
    if (full !== -1) return { full };
    for (const lease of leases) if (lease.replaces === true) this.#makeRoom(lease);
    return { lease: this.hold(leases) };
  }

  /** Takes the slots even beyond their caps, because the store has granted them. */
  hold(leases: readonly LeaseRequest[]): Lease {
    const counts = leases.map(({ key }) => this.#hold(key));
    const replaceable = counts.filter((_, index) => leases[index]?.replaces === true);
    return replaceable.length > 0
      ? new ReplaceableLease(this, counts, replaceable)
      : new HeldLease(this, counts);
  }

  release(count: Count): void {
    count.held--;
    if (count.held === 0 && this.#counts.size > KEPT) this.#counts.delete(count.key);
  }

  #fits({ key, cap, replaces = false }: LeaseRequest): boolean {
    const count = this.#counts.get(key);
    const over = (count?.held ?? 0) - cap;
    return over < 0 || (replaces && cap > 0 && (count?.replaceable?.size ?? 0) > over);
  }

  #makeRoom({ key, cap }: LeaseRequest): void {
    const count = this.#counts.get(key);
    while (count !== undefined && count.held >= cap) {
      const [oldest] = count.replaceable ?? [];
      if (oldest === undefined) return;
      oldest.giveWay(count);
    }
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
  protected counts: readonly Count[];

  constructor(
    readonly table: SlotTable,
    counts: readonly Count[],
  ) {
    this.counts = counts;
  }

  release(): void {
    for (const count of this.counts) this.table.release(count);
    this.counts = NOTHING;
  }

  /** Never called: these leases are lost only with the process. */
  onLost(_listener: (replaced: boolean) => void): void {}
}

class ReplaceableLease extends HeldLease {
  #state: 'held' | 'replaced' | 'released' = 'held';
  #listeners: ((replaced: boolean) => void)[] = [];

  constructor(
    table: SlotTable,
    counts: readonly Count[],
    readonly replaceable: readonly Count[],
  ) {
    super(table, counts);
    for (const count of replaceable) {
      count.replaceable ??= new Set();
      count.replaceable.add(this);
    }
  }

  override release(): void {
    if (this.#state === 'held') this.#state = 'released';
    for (const { replaceable } of this.replaceable) replaceable?.delete(this);
    this.#listeners = [];
    super.release();
  }

  override onLost(listener: (replaced: boolean) => void): void {
    if (this.#state === 'replaced') listener(true);
    else if (this.#state === 'held') this.#listeners.push(listener);
  }

  /** Gives one slot to a newer lease. The listeners are called once that has it. */
  giveWay(to: Count): void {
    to.replaceable?.delete(this);
    this.counts = this.counts.filter((count) => count !== to);
    this.table.release(to);
    this.#state = 'replaced';
    for (const listener of this.#listeners.splice(0)) queueMicrotask(() => listener(true));
  }
}
