import type { Lease, LeaseRequest } from '@sallyport/core/store';

export interface Slot {
  readonly key: string;
  readonly cap: number;
  readonly holder: string;
  readonly lease: HeldLease;
}

export interface LeaseOwner {
  released(lease: HeldLease): void;
}

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

  /** Calls its listeners later, so that one that throws does not stop the renewal of others. */
  lose(): void {
    this.#state = 'lost';
    for (const listener of this.#listeners.splice(0)) queueMicrotask(listener);
  }
}
