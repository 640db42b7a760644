import { isPromise, type MaybePromise, settled } from '../decision.ts';
import type { Clock } from '../ports.ts';
import type {
  Acquired,
  Ban,
  BanTerms,
  Demand,
  Hit,
  HitRequest,
  Lease,
  LeaseRequest,
  Revocation,
  Store,
  StoreListener,
} from '../store.ts';
import { BanTable } from './ban-table.ts';
import { Breaker } from './breaker.ts';
import { memoryStore } from './memory-store.ts';
import { Outbox } from './outbox.ts';

/** What is done about a check while the store cannot answer: deny, let through, or count in this process alone. */
export type FailureMode = 'closed' | 'open' | 'local';

/** For each check that asks the store. */
export interface FailureModes {
  /** `limits.handshakes`. Default: `'local'`. */
  readonly handshakes?: FailureMode;
  /** `limits.authFailures`. Default: `'local'`. */
  readonly authFailures?: FailureMode;
  /** `policy.bans`. Default: `'local'`, the bans that this process knows of. */
  readonly bans?: FailureMode;
  /** Every cap on connections. Default: `'local'`, each process up to the whole cap. */
  readonly connections?: FailureMode;
}

/** What the guard wants to know when somebody arrives. */
export interface Arriving {
  readonly bans: readonly string[];
  readonly handshake: HitRequest;
  /** Only looked at. */
  readonly failures: HitRequest;
  readonly slots: readonly LeaseRequest[];
}

export interface Arrived {
  /** Milliseconds; 0 for nobody who is banned. */
  readonly bannedFor: number;
  readonly handshake: Hit;
  readonly failures: Hit;
  /** The index of the first slot without room, or -1. */
  readonly full: number;
}

/** The store cannot answer, and the policy says that nothing goes on without it. */
export const UNAVAILABLE: unique symbol = Symbol('unavailable');

export interface StoreAccessOptions {
  readonly clock: Clock;
  /** Shared by several processes; absent where there is only this one. */
  readonly store: Store | undefined;
  /** Milliseconds that one call may take. */
  readonly timeout: number;
  readonly modes: FailureModes;
  readonly banTerms: BanTerms;
  readonly maxRevocations: number;
  readonly listener: StoreListener;
  readonly onFailing: (error: unknown) => void;
  readonly onRecovered: (milliseconds: number) => void;
}

const FREE: Hit = { allowed: true, remaining: Number.POSITIVE_INFINITY, retryAfter: 0 };
const NO_LEASE: Lease = { release() {}, onLost() {} };
/** How many bans a process takes over when it starts, and when the store is back. */
const REPLICATED_BANS = 10_000;
/** Milliseconds between two tries to tell the store what it has not taken. */
const RESEND_AFTER = 1_000;

/**
 * The store as the guard uses it: with a deadline, a circuit breaker, and for each check what happens without it. Where
 * there is no shared store, everything is answered at once from this process's memory.
 */
export class StoreAccess {
  readonly #options: StoreAccessOptions;
  readonly #local: Store;
  readonly #shared: Store | undefined;
  /** What this process knows of bans, from every node. */
  readonly #bans = new BanTable(REPLICATED_BANS);
  readonly #breaker: Breaker;
  readonly #outbox: Outbox;
  readonly #unsubscribe: () => void;

  constructor(options: StoreAccessOptions) {
    const { clock, store, timeout, onFailing } = options;
    this.#options = options;
    this.#shared = store;
    this.#local = memoryStore({ clock });
    this.#breaker = new Breaker({
      clock,
      timeout,
      probe: () => store?.ping(),
      onOpen: onFailing,
      onClose: (milliseconds) => this.#recovered(milliseconds),
    });
    this.#outbox = new Outbox(
      options.maxRevocations,
      (revocation) => this.#send(revocation),
      (callback) => clock.schedule(RESEND_AFTER, callback),
    );
    this.#unsubscribe = (store ?? this.#local).subscribe(this.#listener(options.listener));
    this.#loadBans();
  }

  /** Whether counts are shared with other processes. */
  get isShared(): boolean {
    return this.#shared !== undefined;
  }

  /** Whether the shared store is being asked. */
  get isAvailable(): boolean {
    return !this.#breaker.isOpen;
  }

  /** Revocations that wait for the store. */
  get outbox(): number {
    return this.#outbox.size;
  }

  /** The one round trip before authentication. */
  arrive(arriving: Arriving): MaybePromise<Arrived | typeof UNAVAILABLE> {
    const shared = this.#shared;
    if (shared === undefined) return ask(this.#local, arriving) as Arrived;
    return this.#breaker.call<Arrived | typeof UNAVAILABLE>(
      () => ask(shared, arriving),
      () => this.#arriveAlone(arriving),
    );
  }

  /** Whether a failed authentication more would be within the budget, as far as this process has seen. */
  localFailures(request: HitRequest): Hit {
    return hitOf(this.#local, request);
  }

  /** The same, as far as any node has seen; where the store cannot say, as the policy says. */
  failures(request: HitRequest): MaybePromise<Hit | typeof UNAVAILABLE> {
    const shared = this.#shared;
    if (shared === undefined) return FREE;
    const answer = this.#breaker.call<Hit | typeof UNAVAILABLE>(
      () => map(shared.arrive({ bans: [], hits: [request], leases: [] }), ({ hits }) => hits[0] as Hit),
      () => this.#without('authFailures', FREE),
    );
    return answer;
  }

  /** Counts a failed authentication. Nobody waits for it. */
  chargeFailure(request: HitRequest): void {
    void this.#local.charge(request);
    const shared = this.#shared;
    if (shared !== undefined) void this.#breaker.call<void>(() => shared.charge(request), ignore);
  }

  /** The one round trip after authentication. */
  acquire(slots: readonly LeaseRequest[]): MaybePromise<Acquired | typeof UNAVAILABLE> {
    const shared = this.#shared;
    if (shared === undefined) return this.#local.acquire(slots);
    return this.#breaker.call<Acquired | typeof UNAVAILABLE>(
      () => shared.acquire(slots),
      () => {
        const { connections = 'local' } = this.#options.modes;
        if (connections === 'closed') return UNAVAILABLE;
        return connections === 'open' ? { lease: NO_LEASE } : (this.#local.acquire(slots) as Acquired);
      },
    );
  }

  /** Rejects while the store is away: a ticket that only this process knew would be good once on every node. */
  async put(key: string, value: string, ttl: number): Promise<void> {
    const stored = await this.#strictly((store) => store.put(key, value, ttl));
    if (stored === UNAVAILABLE) throw new Error('The store is not available, so nothing can be put into it.');
  }

  redeem(key: string): MaybePromise<string | undefined | typeof UNAVAILABLE> {
    return this.#strictly((store) => store.redeem(key));
  }

  /** Milliseconds that somebody is still banned for, as far as this process knows. */
  bannedFor(key: string): number {
    return this.#bans.left(key, this.#options.clock.now());
  }

  /** Bans here at once, and everywhere as soon as the store knows. */
  ban(key: string, terms = this.#options.banTerms): MaybePromise<Ban> {
    const { clock, listener } = this.#options;
    const store = this.#shared ?? this.#local;
    return this.#breaker.call<Ban>(
      () => store.ban(key, terms),
      () => {
        const ban = this.#bans.add(key, terms, clock.now());
        listener.banned(ban);
        return ban;
      },
    );
  }

  /** Rejects while the store is away, since the ban would come back with it. */
  async unban(key: string): Promise<boolean> {
    const lifted = await this.#strictly((store) => store.unban(key));
    if (lifted === UNAVAILABLE) throw new Error('The store is not available, so the ban stays.');
    return lifted;
  }

  /** The bans in force; while the store is away, those that this process knows of. */
  async bans(limit: number): Promise<readonly Ban[]> {
    const store = this.#shared ?? this.#local;
    return this.#breaker.call(
      () => store.bans(limit),
      () => this.#bans.list(this.#options.clock.now(), limit),
    );
  }

  /** Resolves once every node can know; until then it waits, and is sent again. Rejects where too many wait. */
  revoke(revocation: Revocation): MaybePromise<void> {
    if (this.#shared === undefined) return this.#local.revoke(revocation);
    return this.#outbox.put(revocation);
  }

  /** Milliseconds since it was last certain that this process knows of every revocation. */
  staleness(): number {
    return this.#shared?.staleness() ?? 0;
  }

  /** This node's share of limits; `undefined` while the store is away. */
  async shares(demands: readonly Demand[], interval: number): Promise<readonly number[] | undefined> {
    const shared = this.#shared;
    if (shared === undefined) return undefined;
    return this.#breaker.call<readonly number[] | undefined>(
      () => shared.shares(demands, interval),
      () => undefined,
    );
  }

  close(): void {
    this.#unsubscribe();
    this.#breaker.stop();
    this.#outbox.abandon();
  }

  #arriveAlone(arriving: Arriving): Arrived | typeof UNAVAILABLE {
    const {
      handshakes = 'local',
      authFailures = 'local',
      bans = 'local',
      connections = 'local',
    } = this.#options.modes;
    if ([handshakes, authFailures, bans, connections].includes('closed')) return UNAVAILABLE;
    const now = this.#options.clock.now();
    const bannedFor =
      bans === 'local' ? Math.max(0, ...arriving.bans.map((key) => this.#bans.left(key, now))) : 0;
    if (bannedFor > 0) return { bannedFor, handshake: FREE, failures: FREE, full: -1 };
    return {
      bannedFor,
      handshake: handshakes === 'local' ? hitOf(this.#local, arriving.handshake) : FREE,
      failures: authFailures === 'local' ? hitOf(this.#local, arriving.failures) : FREE,
      full: -1,
    };
  }

  /** What has no second-best: the store itself, or nothing. */
  #strictly<T>(use: (store: Store) => MaybePromise<T>): MaybePromise<T | typeof UNAVAILABLE> {
    const shared = this.#shared;
    if (shared === undefined) return use(this.#local);
    return this.#breaker.call<T | typeof UNAVAILABLE>(
      () => use(shared),
      () => UNAVAILABLE,
    );
  }

  #without<T>(check: keyof FailureModes, free: T): T | typeof UNAVAILABLE {
    return this.#options.modes[check] === 'closed' ? UNAVAILABLE : free;
  }

  async #send(revocation: Revocation): Promise<void> {
    const sent = await this.#strictly((store) => map(store.revoke(revocation), () => true));
    if (sent === UNAVAILABLE) throw new Error('The store is away.');
  }

  #recovered(milliseconds: number): void {
    this.#options.onRecovered(milliseconds);
    void this.#outbox.flush();
    this.#loadBans();
  }

  #loadBans(): void {
    const { clock, banTerms } = this.#options;
    if (this.#shared === undefined) return;
    void this.bans(REPLICATED_BANS).then((bans) => {
      for (const ban of bans) this.#bans.put(ban, banTerms.memory, clock.now());
    });
  }

  /** What other nodes tell is known here from then on. */
  #listener(listener: StoreListener): StoreListener {
    const { clock, banTerms } = this.#options;
    return {
      revoked: (revocation) => listener.revoked(revocation),
      banned: (ban) => {
        this.#bans.put(ban, banTerms.memory, clock.now());
        listener.banned(ban);
      },
      unbanned: (key) => {
        this.#bans.delete(key, clock.now());
        listener.unbanned(key);
      },
      known: () => listener.known(),
    };
  }
}

function ask(store: Store, { bans, handshake, failures, slots }: Arriving): MaybePromise<Arrived> {
  const answer = store.arrive({ bans, hits: [handshake, failures], leases: slots });
  return map(answer, ({ bannedFor, hits: [first = FREE, second = FREE], full }) => ({
    bannedFor,
    handshake: first,
    failures: second,
    full,
  }));
}

function hitOf(local: Store, request: HitRequest): Hit {
  return (local.arrive({ bans: [], hits: [request], leases: [] }) as { hits: readonly Hit[] }).hits[0] as Hit;
}

function map<T, U>(value: MaybePromise<T>, change: (value: T) => U): MaybePromise<U> {
  return isPromise(value) ? settled(value).then(change) : change(value);
}

function ignore(): void {}
