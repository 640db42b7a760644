import { isPromise, type MaybePromise, settled } from '../vocabulary/decision.ts';
import type { Hit, HitRequest, LeaseRequest, Store } from '../vocabulary/store.ts';

/** The store cannot answer, and the policy says that nothing goes on without it. */
export const UNAVAILABLE: unique symbol = Symbol('unavailable');

/** What is said of a limit that nobody counts. */
export const FREE: Hit = { allowed: true, remaining: Number.POSITIVE_INFINITY, retryAfter: 0 };

/** What the guard asks the store before it looks at a credential. */
export interface HandshakePrecheck {
  readonly bans: readonly string[];
  readonly handshake: HitRequest;
  /** Only looked at. */
  readonly failures: HitRequest;
  readonly slots: readonly LeaseRequest[];
}

export interface HandshakePrecheckAnswer {
  /** Milliseconds; 0 for nobody who is banned. */
  readonly bannedFor: number;
  readonly handshake: Hit;
  /** `undefined` where nobody looked, since the handshake was refused. */
  readonly failures: Hit | typeof UNAVAILABLE | undefined;
  /** The index of the first slot without room, or -1. */
  readonly full: number;
}

/** Whoever is banned is asked nothing else. */
export function banned(bannedFor: number): HandshakePrecheckAnswer {
  return { bannedFor, handshake: FREE, failures: FREE, full: -1 };
}

/** Everything in one round trip. */
export function precheckOf(
  store: Store,
  { bans, handshake, failures, slots }: HandshakePrecheck,
): MaybePromise<HandshakePrecheckAnswer> {
  const answer = store.precheck({ bans, hits: [handshake, failures], leases: slots });
  return map(answer, ({ bannedFor, hits, full }) =>
    bannedFor > 0 ? banned(bannedFor) : { bannedFor, handshake: certain(hits[0]), failures: hits[1], full },
  );
}

/** One bucket alone. */
export function hitOf(store: Store, request: HitRequest): MaybePromise<Hit> {
  return map(store.precheck({ bans: [], hits: [request], leases: [] }), ({ hits }) => certain(hits[0]));
}

/** A store that leaves out what it was asked has not answered. */
function certain(hit: Hit | undefined): Hit {
  if (hit === undefined) throw new TypeError('The store has not answered what it was asked.');
  return hit;
}

/** At once, where the value is there at once. */
export function map<T, U>(value: MaybePromise<T>, change: (value: T) => U): MaybePromise<U> {
  return isPromise(value) ? settled(value).then(change) : change(value);
}
