import type { MaybePromise } from '../vocabulary/decision.ts';
import type { Clock } from '../vocabulary/ports.ts';
import type {
  Acquired,
  Ban,
  BanTerms,
  Demand,
  Hit,
  HitRequest,
  LeaseRequest,
  Revocation,
  Store,
  StoreListener,
} from '../vocabulary/store-contract.ts';
import { Breaker } from './breaker.ts';
import { KnownBans } from './known-bans.ts';
import { Outbox } from './outbox.ts';
import {
  banned,
  FREE,
  type HandshakePrecheck,
  type HandshakePrecheckAnswer,
  hitOf,
  map,
  precheckOf,
  UNAVAILABLE,
} from './precheck.ts';
import { type FailureModes, StoreFallback } from './store-fallback.ts';

export interface StoreAccessOptions {
  readonly clock: Clock;
  /** Absent if there is only one process. */
  readonly store: Store | undefined;
  readonly timeout: number;
  readonly modes: Required<FailureModes>;
  readonly banTerms: BanTerms;
  readonly maxRevocations: number;
  readonly listener: StoreListener;
  readonly onFailing: (error: unknown) => void;
  readonly onRecovered: (milliseconds: number) => void;
  /** Called with an error that nothing waits for. */
  readonly onFault: (error: unknown) => void;
}

const RESEND_AFTER = 1_000;

/**
 * The store as the guard uses it: with a deadline, a circuit breaker, and a fallback for each check. Without a shared
 * store, this process's memory answers synchronously.
 */
export class StoreAccess {
  readonly #options: StoreAccessOptions;
  readonly #shared: Store | undefined;
  readonly #fallback: StoreFallback;
  readonly #bans: KnownBans;
  readonly #breaker: Breaker;
  readonly #outbox: Outbox;
  readonly #unsubscribe: () => void;
  #closed = false;

  constructor(options: StoreAccessOptions) {
    const { clock, store, timeout, onFailing } = options;
    this.#options = options;
    this.#shared = store;
    this.#fallback = new StoreFallback(clock, options.modes, (key) => this.bannedFor(key));
    this.#breaker = new Breaker({
      clock,
      timeout,
      probe: () => store?.ping(),
      onOpen: onFailing,
      onClose: (milliseconds) => this.#recovered(milliseconds),
    });
    this.#outbox = new Outbox(
      options.maxRevocations,
      (revocation) => this.#certainly((shared) => shared.revoke(revocation)),
      (callback) => clock.schedule(RESEND_AFTER, callback),
    );
    this.#bans = new KnownBans(clock, options.banTerms.memory, {
      ban: (key, terms) => this.#certainly((shared) => shared.ban(key, terms)),
      bans: (limit) => this.#certainly((shared) => shared.bans(limit)),
    });
    this.#unsubscribe = (store ?? this.#fallback.memory).subscribe(this.#listener(options.listener));
    if (store !== undefined) void this.#bans.agree();
  }

  get isShared(): boolean {
    return this.#shared !== undefined;
  }

  get isAvailable(): boolean {
    return !this.#breaker.isOpen;
  }

  get outbox(): number {
    return this.#outbox.size;
  }

  /** The one round trip before authentication. */
  precheck(request: HandshakePrecheck): MaybePromise<HandshakePrecheckAnswer | typeof UNAVAILABLE> {
    const shared = this.#shared;
    if (shared === undefined) return precheckOf(this.#fallback.memory, request);
    const bannedFor = this.#bans.leftUnstored(request.bans);
    if (bannedFor > 0) return banned(bannedFor);
    return this.#breaker.call<HandshakePrecheckAnswer | typeof UNAVAILABLE>(
      () => precheckOf(shared, request),
      () => this.#fallback.precheck(request),
    );
  }

  localFailures(request: HitRequest): Hit {
    return this.#fallback.localFailures(request, this.isAvailable);
  }

  failures(request: HitRequest): MaybePromise<Hit | typeof UNAVAILABLE> {
    const shared = this.#shared;
    if (shared === undefined) return FREE;
    return this.#breaker.call<Hit | typeof UNAVAILABLE>(
      () => hitOf(shared, request),
      () => this.#fallback.failures(),
    );
  }

  chargeFailure(request: HitRequest): void {
    void this.#fallback.memory.charge(request);
    const shared = this.#shared;
    if (shared !== undefined) void this.#breaker.call<void>(() => shared.charge(request), ignore);
  }

  /** The one round trip after authentication. */
  acquire(slots: readonly LeaseRequest[]): MaybePromise<Acquired | typeof UNAVAILABLE> {
    const shared = this.#shared;
    if (shared === undefined) return this.#fallback.memory.acquire(slots);
    return this.#breaker.call<Acquired | typeof UNAVAILABLE>(
      () => map(shared.acquire(slots), (got) => this.#fallback.mirrored(got, slots, this.#options.onFault)),
      () => this.#fallback.acquire(slots),
      giveBack,
    );
  }

  /** Rejects if the store does not answer: a ticket in this process alone could be redeemed once on every node. */
  async put(key: string, value: string, ttl: number): Promise<void> {
    const stored = await this.#strictly((store) => store.put(key, value, ttl));
    if (stored === UNAVAILABLE) throw new Error('The store is not available, so nothing can be put into it.');
  }

  redeem(key: string): MaybePromise<string | undefined | typeof UNAVAILABLE> {
    return this.#strictly((store) => store.redeem(key));
  }

  bannedFor(key: string): number {
    return this.#bans.left(key);
  }

  /** Bans in this process at once, and on every node as soon as the store knows. */
  ban(key: string, terms = this.#options.banTerms): MaybePromise<Ban> {
    const shared = this.#shared;
    if (shared === undefined) return this.#fallback.memory.ban(key, terms);
    const before = this.bannedFor(key);
    return this.#breaker.call<Ban>(
      () => shared.ban(key, terms),
      () => this.#banLocally(key, terms, before),
      (late) => this.#bans.imposed(late),
    );
  }

  /** Rejects if the store does not answer, because the ban would come back with the store. */
  async unban(key: string): Promise<boolean> {
    const lifted = await this.#strictly((store) => store.unban(key));
    if (lifted === UNAVAILABLE) throw new Error('The store is not available, so the ban stays.');
    return lifted;
  }

  async bans(limit: number): Promise<readonly Ban[]> {
    const shared = this.#shared;
    if (shared === undefined) return this.#fallback.memory.bans(limit);
    return this.#breaker.call(
      () => shared.bans(limit),
      () => this.#bans.list(limit),
    );
  }

  /** Resolves once the store has it. Retried until then. Rejects if too many revocations wait. */
  revoke(revocation: Revocation): MaybePromise<void> {
    if (this.#shared === undefined) return this.#fallback.memory.revoke(revocation);
    return this.#outbox.put(revocation);
  }

  /** Milliseconds since this process last knew of every revocation. */
  staleness(): number {
    try {
      return this.#shared?.staleness() ?? 0;
    } catch {
      return Number.POSITIVE_INFINITY;
    }
  }

  async shares(demands: readonly Demand[], interval: number): Promise<readonly number[] | undefined> {
    const shared = this.#shared;
    if (shared === undefined) return undefined;
    return this.#breaker.call<readonly number[] | undefined>(
      () => shared.shares(demands, interval),
      () => undefined,
    );
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#bans.close();
    this.#outbox.abandon();
    this.#breaker.stop();
    this.#unsubscribe();
  }

  #banLocally(key: string, terms: BanTerms, before: number): Ban {
    const told = this.#bans.get(key);
    // The ban was stored and announced, and only the answer was lost.
    if (told !== undefined && this.bannedFor(key) > before) return told;
    const ban = this.#bans.impose(key, terms);
    this.#options.listener.banned(ban);
    return ban;
  }

  #strictly<T>(use: (store: Store) => MaybePromise<T>): MaybePromise<T | typeof UNAVAILABLE> {
    const shared = this.#shared;
    if (shared === undefined) return use(this.#fallback.memory);
    return this.#breaker.call<T | typeof UNAVAILABLE>(
      () => use(shared),
      () => UNAVAILABLE,
    );
  }

  async #certainly<T>(use: (store: Store) => MaybePromise<T>): Promise<T> {
    const answer = await this.#strictly(use);
    if (answer === UNAVAILABLE) throw new Error('The store is away.');
    return answer;
  }

  #recovered(milliseconds: number): void {
    this.#options.onRecovered(milliseconds);
    void this.#outbox.flush();
    void this.#bans.agree();
  }

  /** Keeps errors of the guard's listener away from the store. */
  #listener(listener: StoreListener): StoreListener {
    return {
      revoked: (revocation) => this.#shield(() => listener.revoked(revocation)),
      banned: (ban) => {
        this.#bans.imposed(ban);
        this.#shield(() => listener.banned(ban));
      },
      unbanned: (key) => {
        this.#bans.lifted(key);
        this.#shield(() => listener.unbanned(key));
      },
      known: () => listener.known(),
    };
  }

  #shield(tell: () => void): void {
    try {
      tell();
    } catch (error) {
      this.#options.onFault(error);
    }
  }
}

function giveBack(late: Acquired | typeof UNAVAILABLE): void {
  if (late !== UNAVAILABLE && 'lease' in late) late.lease.release();
}

function ignore(): void {}
