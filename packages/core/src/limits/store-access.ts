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
} from '../vocabulary/store.ts';
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
  /** Shared by several processes; absent where there is only this one. */
  readonly store: Store | undefined;
  /** Milliseconds that one call may take. */
  readonly timeout: number;
  readonly modes: Required<FailureModes>;
  readonly banTerms: BanTerms;
  readonly maxRevocations: number;
  readonly listener: StoreListener;
  readonly onFailing: (error: unknown) => void;
  readonly onRecovered: (milliseconds: number) => void;
  /** Something has thrown where nobody waits for an answer. */
  readonly onFault: (error: unknown) => void;
}

/** Milliseconds between two tries to tell the store what it has not taken. */
const RESEND_AFTER = 1_000;

/**
 * The store as the guard uses it: with a deadline, a circuit breaker, and for each check what happens without it. Where
 * there is no shared store, everything is answered at once from this process's memory.
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

  /** Whether a failed authentication more would be within the budget, as far as this process has seen. */
  localFailures(request: HitRequest): Hit {
    return this.#fallback.localFailures(request, this.isAvailable);
  }

  /** The same, as far as any node has seen; where the store cannot say, as the policy says. */
  failures(request: HitRequest): MaybePromise<Hit | typeof UNAVAILABLE> {
    const shared = this.#shared;
    if (shared === undefined) return FREE;
    return this.#breaker.call<Hit | typeof UNAVAILABLE>(
      () => hitOf(shared, request),
      () => this.#fallback.failures(),
    );
  }

  /** Counts a failed authentication. Nobody waits for it. */
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
    return this.#bans.left(key);
  }

  /** Bans here at once, and everywhere as soon as the store knows. */
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

  /** Rejects while the store is away, since the ban would come back with it. */
  async unban(key: string): Promise<boolean> {
    const lifted = await this.#strictly((store) => store.unban(key));
    if (lifted === UNAVAILABLE) throw new Error('The store is not available, so the ban stays.');
    return lifted;
  }

  /** The bans in force; while the store is away, those that this process knows of. */
  async bans(limit: number): Promise<readonly Ban[]> {
    const shared = this.#shared;
    if (shared === undefined) return this.#fallback.memory.bans(limit);
    return this.#breaker.call(
      () => shared.bans(limit),
      () => this.#bans.list(limit),
    );
  }

  /** Resolves once every node can know; until then it waits, and is sent again. Rejects where too many wait. */
  revoke(revocation: Revocation): MaybePromise<void> {
    if (this.#shared === undefined) return this.#fallback.memory.revoke(revocation);
    return this.#outbox.put(revocation);
  }

  /** Milliseconds since it was last certain that this process knows of every revocation. */
  staleness(): number {
    try {
      return this.#shared?.staleness() ?? 0;
    } catch {
      return Number.POSITIVE_INFINITY;
    }
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

  /** Asks the store nothing more, and hears of nothing; what waits for it is given up. */
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
    // It was stored and told, and only the answer was lost.
    if (told !== undefined && this.bannedFor(key) > before) return told;
    const ban = this.#bans.impose(key, terms);
    this.#options.listener.banned(ban);
    return ban;
  }

  /** What has no second-best: the store itself, or nothing. */
  #strictly<T>(use: (store: Store) => MaybePromise<T>): MaybePromise<T | typeof UNAVAILABLE> {
    const shared = this.#shared;
    if (shared === undefined) return use(this.#fallback.memory);
    return this.#breaker.call<T | typeof UNAVAILABLE>(
      () => use(shared),
      () => UNAVAILABLE,
    );
  }

  /** The same as a promise, which rejects. */
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

  /** What other nodes tell is known here from then on. Nothing is thrown at a store that only tells. */
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

/** Nobody waits for it any more, and nobody else would give it back. */
function giveBack(late: Acquired | typeof UNAVAILABLE): void {
  if (late !== UNAVAILABLE && 'lease' in late) late.lease.release();
}

function ignore(): void {}
