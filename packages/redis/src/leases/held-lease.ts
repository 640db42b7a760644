import type { Lease, LeaseRequest } from '@sallyport/core/store';

export interface Slot {
  readonly key: string;
  readonly cap: number;
  readonly holder: string;
  readonly replaces: boolean;
  readonly lease: HeldLease;
}

export interface LeaseOwner {
  released(lease: HeldLease): void;
}

export class HeldLease implements Lease {
  readonly slots: readonly Slot[];
  #state: 'held' | 'released' | 'lost' = 'held';
  #replaced = false;
  #listeners: ((replaced: boolean) => void)[] = [];

  constructor(
    readonly owner: LeaseOwner,
    id: string,
    keys: readonly string[],
    requests: readonly LeaseRequest[],
  ) {
    this.slots = requests.map(({ cap, replaces = false }, index) => ({
      key: keys[index] as string,
      cap,
      holder: `${replaces ? ':' : ''}${id}.${index}`,
      replaces,
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

  onLost(listener: (replaced: boolean) => void): void {
    if (this.#state === 'held') this.#listeners.push(listener);
    else if (this.#state === 'lost') listener(this.#replaced);
  }

  /** Calls its listeners later, so that one that throws does not stop the renewal of others. */
  lose(replaced = false): void {
    this.#state = 'lost';
    this.#replaced = replaced;
    for (const listener of this.#listeners.splice(0)) queueMicrotask(() => listener(replaced));
  }
}
