import type { MaybePromise } from './decision.ts';

/** A rate as a store counts it: a bucket of `burst` hits, of which one comes back every `interval`. */
export interface RateLimit {
  /** Milliseconds for one hit: the emission interval of the generic cell rate algorithm. */
  readonly interval: number;
  /** How many hits may come at once after a pause. */
  readonly burst: number;
}

/** One look at a bucket. */
export interface HitRequest {
  /**
   * The bucket, then wider ones that a new key shares if the table is full of keys in debt. A store that expires keys
   * by itself needs the first one only.
   */
  readonly keys: readonly [string, ...string[]];
  readonly limit: RateLimit;
  /** How many hits are taken if they fit. 0 takes none and tells whether one would fit. */
  readonly cost: number;
}

/** One bucket's answer. */
export interface Hit {
  readonly allowed: boolean;
  /** How many hits would fit now, after this one. */
  readonly remaining: number;
  /** Milliseconds until the hit would be allowed; 0 if it is. */
  readonly retryAfter: number;
}

/** A slot that is asked for. */
export interface LeaseRequest {
  /** What is counted, such as `address 203.0.113.7`. */
  readonly key: string;
  /** How many may be held at once. */
  readonly cap: number;
  /**
   * Whether the oldest holders give way where the key is full, in the same step and to no more than the new one: a request
   * that finds another key full takes nothing away. Only holders that asked with `replaces` themselves give way.
   */
  readonly replaces?: boolean;
}

/** Slots that are held until `release`, which may be called twice. The store renews them. */
export interface Lease {
  release(): void;
  /**
   * Calls back once if a slot is lost: it expired while the store was away, and others have taken it, or it was `replaced`
   * by a newer holder. Calls back at once if that has already happened. `release` gives the other slots back.
   */
  onLost(listener: (replaced: boolean) => void): void;
}

/** A lease on every slot that was asked for, or the index of the first full one. Then nothing is held. */
export type Acquired = { readonly lease: Lease } | { readonly full: number };

/** The questions of the one round trip before authentication. */
export interface PrecheckRequest {
  /** Keys, none of which may be banned. */
  readonly bans: readonly string[];
  /** Taken in order until one is refused. None is taken if a key is banned. */
  readonly hits: readonly HitRequest[];
  /** Slots that are looked at, not taken. */
  readonly leases: readonly LeaseRequest[];
}

/** The answer to a precheck: the outcome of each of its questions. */
export interface PrecheckAnswer {
  /** Milliseconds until the last of the bans ends; 0 without a ban. */
  readonly bannedFor: number;
  /** As many as were asked for, or up to the first refused one. */
  readonly hits: readonly Hit[];
  /** The index of the first full slot, or -1. */
  readonly full: number;
}

/** Refuses credentials from now on that are otherwise valid. */
export interface Revocation {
  readonly subject?: string | undefined;
  readonly session?: string | undefined;
  readonly tokenId?: string | undefined;
  /** Seconds since the epoch, inclusive. Credentials issued later are valid. */
  readonly issuedBefore: number;
}

/** How long a ban lasts, and how repeated bans grow. */
export interface BanTerms {
  /** Milliseconds of the first ban. */
  readonly duration: number;
  /** The factor by which each further ban is longer; at least 1. */
  readonly growth: number;
  /** Milliseconds of the longest ban. */
  readonly longest: number;
  /** Milliseconds after the end of a ban in which another one grows. */
  readonly memory: number;
}

/** A banned address or identity. */
export interface Ban {
  /** `address 203.0.113.7` or `identity alice`. */
  readonly key: string;
  /** Milliseconds since the epoch. */
  readonly until: number;
  /** 1 for the first ban, 2 for the next. */
  readonly count: number;
}

/** How much of a limit one node was asked for in its last interval. */
export interface Demand {
  readonly key: string;
  /** Hits, refused ones included. */
  readonly hits: number;
}

/** Hears what any node has done, this one included. Must not throw. */
export interface StoreListener {
  revoked(revocation: Revocation): void;
  banned(ban: Ban): void;
  /** A ban was lifted. */
  unbanned(key: string): void;
  /** All revocations that this node knows of, for a store that has lost its data. */
  known(): Iterable<Revocation>;
}

/**
 * State shared by several processes, behind a few atomic operations. An operation that fails rejects or throws, and
 * `policy.onStoreFailure` says what happens then. The store uses its own time, so the nodes need no common clock.
 */
export interface Store {
  /** Bans, rates and free slots in one round trip. */
  precheck(request: PrecheckRequest): MaybePromise<PrecheckAnswer>;
  /** Takes hits from one bucket even if they do not fit, because they have happened. */
  charge(request: HitRequest): MaybePromise<void>;
  /** Takes every slot or none. All nodes together never hold more than the cap. */
  acquire(leases: readonly LeaseRequest[]): MaybePromise<Acquired>;
  /** Stores a value for `ttl` milliseconds, to be redeemed once. Rejects if the store is full. */
  put(key: string, value: string, ttl: number): MaybePromise<void>;
  /** Takes a value out: of simultaneous callers exactly one gets it, and only before it expires. */
  redeem(key: string): MaybePromise<string | undefined>;
  /** Bans a key, longer than the last time, and tells every listener on every node. */
  ban(key: string, terms: BanTerms): MaybePromise<Ban>;
  /** Lifts a ban, forgets its history, and tells every listener. Resolves with whether there was a ban. */
  unban(key: string): MaybePromise<boolean>;
  /** The bans in force, at most `limit` of them. */
  bans(limit: number): MaybePromise<readonly Ban[]>;
  /**
   * Resolves once the revocation is stored. Tells every listener on every node; those that are disconnected hear of
   * it later.
   */
  revoke(revocation: Revocation): MaybePromise<void>;
  /** Listens until the returned function is called. A store without listeners keeps nothing open. */
  subscribe(listener: StoreListener): () => void;
  /** Milliseconds since this node last knew of every revocation. */
  staleness(): number;
  /**
   * Reports what this node was asked for in its last interval (milliseconds), and resolves with its part of each
   * limit: above 0, and 1 if no other node was asked. The parts of all nodes add up to at most 1, except for changes
   * within the last interval.
   */
  shares(demands: readonly Demand[], interval: number): MaybePromise<readonly number[]>;
  /** Resolves if the store answers, and takes what is written. It looks whether a store that failed works again. */
  ping(): MaybePromise<void>;
}
