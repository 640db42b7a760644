import type { Lease, LeaseRequest } from '@sallyport/core/store';

/** One slot of one key. */
export interface Slot {
  /** Its key in Redis. */
  readonly key: string;
  readonly cap: number;
  /** Who holds it, as Redis knows it. */
  readonly holder: string;
  readonly lease: HeldLease;
}

/** Who gives slots back. */
export interface LeaseOwner {
  released(lease: HeldLease): void;
}

/** The slots of one connection, until it gives them back or they are lost. */
export class HeldLease implements Lease {
  readonly slots: readonly Slot[];
  #state: 'held' | 'released' | 'lost' = 'held';
  #listeners: (() => void)[] = [];

  constructor(
    readonly owner: LeaseOwner,
    id: string,
    keys: readonly string[],
    requests: readonly LeaseRequest[],
  ) {
    this.slots = requests.map(({ cap }, index) => ({
      key: keys[index] as string,
      cap,
      holder: `${id}.${index}`,
      lease: this,
    }));
  }

  get isHeld(): boolean {
    return this.#state === 'held';
  }

  release(): void {
    if (this.#state !== 'held') return;
    this.#state = 'released';
    this.#listeners = [];
    this.owner.released(this);
  }

  onLost(listener: () => void): void {
    if (this.#state === 'held') this.#listeners.push(listener);
    else if (this.#state === 'lost') listener();
  }

  /** Its listeners are called a moment later, so that one that throws keeps nobody's slots from being renewed. */
  lose(): void {
    this.#state = 'lost';
    for (const listener of this.#listeners.splice(0)) queueMicrotask(listener);
  }
}
