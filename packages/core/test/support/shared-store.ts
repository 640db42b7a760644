import { type Clock, type MaybePromise, type MemoryStoreOptions, memoryStore } from '@sallyport/core';
import type { Acquired, Lease, LeaseRequest, Store, StoreListener } from '@sallyport/core/store';

/** What asks the store something: a round trip, if it were on another machine. */
export type Operation = Exclude<keyof Store, 'subscribe' | 'staleness'>;
/**
 * `at once` and `later` answer. Before `wake`, `lags` does what it is asked and tells nobody, as a network that has lost the
 * answer; `hangs` does nothing either, as a process that was stopped.
 */
export type Behaviour = 'at once' | 'later' | 'throws' | 'rejects' | 'lags' | 'hangs';

/**
 * A store as on another machine, in the hands of a test: it answers later, fails or hangs, and remembers what it was asked.
 * Several guards may share one.
 */
export class SharedStore implements Store {
  readonly memory: Store;
  /** What it was asked, in order. */
  readonly asked: Operation[] = [];
  /** Milliseconds since it was certain that all revocations had been told. */
  stale = 0;
  readonly #behaviours = new Map<Operation, Behaviour>();
  readonly #sleeping: (() => void)[] = [];
  /** By lease, what is to be told when it is lost. */
  readonly #lost = new Map<Lease, () => void>();
  readonly #slots: string[] = [];
  #behaviour: Behaviour;
  /** Who listens to it. */
  listeners = 0;

  /** `overrides` are asked instead of it. */
  constructor(
    clock: Clock,
    {
      behaviour = 'later',
      overrides = {},
      ...options
    }: { behaviour?: Behaviour; overrides?: Partial<Store> } & Partial<MemoryStoreOptions> = {},
  ) {
    this.memory = memoryStore({ clock, ...options });
    this.#behaviour = behaviour;
    Object.assign(this, overrides);
  }

  /** From now on, all operations or those named. */
  behave(behaviour: Behaviour, ...operations: Operation[]): void {
    if (operations.length === 0) {
      this.#behaviour = behaviour;
      this.#behaviours.clear();
    }
    for (const operation of operations) this.#behaviours.set(operation, behaviour);
  }

  /** Does what it was asked while it hung, gives every answer that is missing, and answers again. */
  wake(): void {
    this.behave('later');
    for (const go of this.#sleeping.splice(0)) go();
  }

  /** How often it was asked something. */
  count(operation: Operation): number {
    return this.asked.filter((asked) => asked === operation).length;
  }

  /** What was asked since the last time. */
  takeAsked(): Operation[] {
    return this.asked.splice(0);
  }

  /** Whether all of these would be granted. */
  isFree(...leases: LeaseRequest[]): boolean {
    return (this.memory.precheck({ bans: [], hits: [], leases }) as { full: number }).full === -1;
  }

  /** Leases that are held. */
  get held(): number {
    return this.#lost.size;
  }

  /** The key of every slot that is held, as often as it is. */
  get slots(): readonly string[] {
    return this.#slots;
  }

  /** Questions that have no answer yet, however long ago somebody gave up waiting. */
  get hanging(): number {
    return this.#sleeping.length;
  }

  /** Loses every lease that is held, as after a restart that found no room for them. */
  loseAll(): void {
    for (const lost of [...this.#lost.values()]) lost();
  }

  precheck = (request: Parameters<Store['precheck']>[0]) =>
    this.#ask('precheck', () => this.memory.precheck(request));
  charge = (request: Parameters<Store['charge']>[0]) =>
    this.#ask('charge', () => this.memory.charge(request));
  acquire = (leases: readonly LeaseRequest[]) => this.#ask('acquire', () => this.#acquire(leases));
  put = (...all: Parameters<Store['put']>) => this.#ask('put', () => this.memory.put(...all));
  redeem = (key: string) => this.#ask('redeem', () => this.memory.redeem(key));
  ban = (...all: Parameters<Store['ban']>) => this.#ask('ban', () => this.memory.ban(...all));
  unban = (key: string) => this.#ask('unban', () => this.memory.unban(key));
  bans = (limit: number) => this.#ask('bans', () => this.memory.bans(limit));
  revoke = (...all: Parameters<Store['revoke']>) => this.#ask('revoke', () => this.memory.revoke(...all));
  shares = (...all: Parameters<Store['shares']>) => this.#ask('shares', () => this.memory.shares(...all));
  ping = () => this.#ask('ping', () => this.memory.ping());

  subscribe(listener: StoreListener): () => void {
    this.listeners++;
    const unsubscribe = this.memory.subscribe(listener);
    return () => {
      this.listeners--;
      unsubscribe();
    };
  }

  staleness(): number {
    return this.stale;
  }

  #ask<T>(operation: Operation, answer: () => MaybePromise<T>): MaybePromise<T> {
    this.asked.push(operation);
    const behaviour = this.#behaviours.get(operation) ?? this.#behaviour;
    if (behaviour === 'throws') throw new Error('the store is away');
    if (behaviour === 'rejects') return Promise.reject(new Error('the store is away'));
    if (behaviour === 'at once') return answer();
    if (behaviour === 'later') return this.#later(answer);
    const done = behaviour === 'lags' ? { answer: answer() } : undefined;
    return new Promise((resolve) =>
      this.#sleeping.push(() => resolve(done === undefined ? answer() : done.answer)),
    );
  }

  async #later<T>(answer: () => MaybePromise<T>): Promise<T> {
    await undefined;
    return answer();
  }

  #acquire(leases: readonly LeaseRequest[]): Acquired {
    const acquired = this.memory.acquire(leases) as Acquired;
    if (!('lease' in acquired)) return acquired;
    const keys = leases.map(({ key }) => key);
    this.#slots.push(...keys);
    const lease: Lease = {
      release: () => {
        if (!this.#lost.delete(lease)) return;
        for (const key of keys) this.#slots.splice(this.#slots.indexOf(key), 1);
        acquired.lease.release();
      },
      onLost: (listener) => {
        if (this.#lost.has(lease)) this.#lost.set(lease, () => listener(false));
        acquired.lease.onLost(listener);
      },
    };
    this.#lost.set(lease, () => {});
    return { lease };
  }
}
