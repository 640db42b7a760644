import type { MaybePromise } from './decision.ts';

/** A rate as a store counts it: a bucket of `burst` hits, of which one comes back every `interval`. */
export interface RateLimit {
  /** Milliseconds that one hit costs: the emission interval of the generic cell rate algorithm. */
  readonly interval: number;
  /** How many hits may come at once after a pause. */
  readonly burst: number;
}

/** One look at a bucket. */
export interface HitRequest {
  /**
   * The bucket, and the wider ones that it shares once its own table is full of keys that are still in debt, so that
   * flooding a table clears nobody's history. A store that expires keys by itself needs the first one only.
   */
  readonly keys: readonly [string, ...string[]];
  readonly limit: RateLimit;
  /** How many hits are taken where they fit; 0 takes none and tells whether one would fit. */
  readonly cost: number;
}

/** One bucket's outcome. */
export interface Hit {
  readonly allowed: boolean;
  /** How many hits would fit now, after this one. */
  readonly remaining: number;
  /** Milliseconds until it would be allowed; 0 where it is. */
  readonly retryAfter: number;
}

/** A slot that is asked for. */
export interface LeaseRequest {
  /** What is counted, such as `address 203.0.113.7`. */
  readonly key: string;
  /** How many may be held at once. */
  readonly cap: number;
}

/** Slots that are held until `release`, which counts once however often it is called. The store renews them. */
export interface Lease {
  release(): void;
  /**
   * Calls back, once, when the slots could not be kept: they ran out while the store was away, and are full since. At once
   * where that is so already.
   */
  onLost(listener: () => void): void;
}

/** Either a lease on every slot asked for, or the index of the first one that was full (and nothing is held). */
export type Acquired = { readonly lease: Lease } | { readonly full: number };

/** What is asked in the one round trip before authentication. */
export interface PrecheckRequest {
  /** Keys of which none may be banned. */
  readonly bans: readonly string[];
  /** Taken in order, until one is refused; none where somebody is banned. */
  readonly hits: readonly HitRequest[];
  /** Slots that are looked at, not taken. */
  readonly leases: readonly LeaseRequest[];
}

/** The answer to a precheck: the outcome of each of its questions. */
export interface PrecheckAnswer {
  /** Milliseconds until the last of the bans ends; 0 where there is none. */
  readonly bannedFor: number;
  /** As many as were asked, or up to the first one that was refused. */
  readonly hits: readonly Hit[];
  /** The index of the first slot that has no room, or -1. */
  readonly full: number;
}

/** Something that is refused from now on, although its signature is right and its time has not come. */
export interface Revocation {
  readonly subject?: string | undefined;
  readonly session?: string | undefined;
  readonly tokenId?: string | undefined;
  /** Whole seconds since the epoch, inclusive: what was issued later counts again. */
  readonly issuedBefore: number;
}

/** How long a ban lasts, and how that grows on repetition. */
export interface BanTerms {
  /** Milliseconds of the first one. */
  readonly duration: number;
  /** What each one lasts longer than the one before: a factor of at least 1. */
  readonly growth: number;
  /** Milliseconds of the longest. */
  readonly longest: number;
  /** Milliseconds after the end of a ban for which it is remembered, and the next one grows. */
  readonly memory: number;
}

/** Somebody who is kept out for a while. */
export interface Ban {
  /** `address 203.0.113.7`, or `identity alice`. */
  readonly key: string;
  /** Wall-clock milliseconds since the epoch at which it ends. */
  readonly until: number;
  /** The how many-th in a row it is. */
  readonly count: number;
}

/** How much of a limit one node has been asked for in its last interval. */
export interface Demand {
  readonly key: string;
  /** Hits, refused ones included. */
  readonly hits: number;
}

/** Who hears of what any node has done, this one included. Never throws. */
export interface StoreListener {
  revoked(revocation: Revocation): void;
  banned(ban: Ban): void;
  /** A ban was lifted. */
  unbanned(key: string): void;
  /** Every revocation that is known here: told again to a store that has forgotten everything. */
  known(): Iterable<Revocation>;
}

/**
 * Shared state behind a few atomic operations. One that fails rejects or throws; what happens then is for
 * `policy.onStoreFailure` to say. Time is the store's own, so that nodes need no common clock.
 */
export interface Store {
  /** Bans, rates and free slots in one round trip. */
  precheck(request: PrecheckRequest): MaybePromise<PrecheckAnswer>;
  /** Takes hits from one bucket, whether they fit or not fully: what has happened has happened. */
  charge(request: HitRequest): MaybePromise<void>;
  /** Holds every slot, or none of them; of any number of nodes at once never more than the cap. */
  acquire(leases: readonly LeaseRequest[]): MaybePromise<Acquired>;
  /** Keeps a value for `ttl` milliseconds, to be redeemed once. Rejects when there is no room. */
  put(key: string, value: string, ttl: number): MaybePromise<void>;
  /** Takes the value out: of any number of callers at once one gets it, and only before it expires. */
  redeem(key: string): MaybePromise<string | undefined>;
  /** Bans from now on, longer than the last time; tells every listener on every node. */
  ban(key: string, terms: BanTerms): MaybePromise<Ban>;
  /** Lifts a ban and forgets its history; tells every listener. Resolves with whether there was one. */
  unban(key: string): MaybePromise<boolean>;
  /** The bans in force, at most `limit` of them. */
  bans(limit: number): MaybePromise<readonly Ban[]>;
  /** Resolves once it is stored and told to every listener on every node, those that are disconnected later. */
  revoke(revocation: Revocation): MaybePromise<void>;
  /** Listens until the returned function is called. A store without listeners holds nothing open. */
  subscribe(listener: StoreListener): () => void;
  /** Milliseconds since it was last certain that every revocation had been told. */
  staleness(): number;
  /**
   * Tells what this node has been asked for in its last interval (milliseconds), and resolves with its share of each
   * limit: above 0, and 1 for whom no other node has been asked about. The shares of all nodes add up to 1 at most, but for what
   * has changed in the last interval.
   */
  shares(demands: readonly Demand[], interval: number): MaybePromise<readonly number[]>;
  /** Resolves when the store answers. */
  ping(): MaybePromise<void>;
}
