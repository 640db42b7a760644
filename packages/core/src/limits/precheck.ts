import { isPromise, type MaybePromise, settled } from '../vocabulary/decision.ts';
import type { Hit, HitRequest, LeaseRequest, Store } from '../vocabulary/store-contract.ts';

/** The store does not answer, and the policy closes the check. */
export const UNAVAILABLE: unique symbol = Symbol('unavailable');

/** The answer for a limit that is not counted. */
export const FREE: Hit = { allowed: true, remaining: Number.POSITIVE_INFINITY, retryAfter: 0 };

/** What the guard asks the store before it looks at a credential. */
export interface HandshakePrecheck {
  readonly bans: readonly string[];
  readonly handshake: HitRequest;
  readonly failures: HitRequest;
  readonly slots: readonly LeaseRequest[];
}

export interface HandshakePrecheckAnswer {
  readonly bannedFor: number;
  readonly handshake: Hit;
  /** `undefined` if the handshake was refused before. */
  readonly failures: Hit | typeof UNAVAILABLE | undefined;
  readonly full: number;
}

export function banned(bannedFor: number): HandshakePrecheckAnswer {
  return { bannedFor, handshake: FREE, failures: FREE, full: -1 };
}

export function precheckOf(
  store: Store,
  { bans, handshake, failures, slots }: HandshakePrecheck,
): MaybePromise<HandshakePrecheckAnswer> {
  const answer = store.precheck({ bans, hits: [handshake, failures], leases: slots });
  return map(answer, ({ bannedFor, hits, full }) =>
    bannedFor > 0 ? banned(bannedFor) : { bannedFor, handshake: certain(hits[0]), failures: hits[1], full },
  );
}

export function hitOf(store: Store, request: HitRequest): MaybePromise<Hit> {
  return map(store.precheck({ bans: [], hits: [request], leases: [] }), ({ hits }) => certain(hits[0]));
}

function certain(hit: Hit | undefined): Hit {
  if (hit === undefined) throw new TypeError('The store has not answered what it was asked.');
  return hit;
}

/** Synchronous for a value that is no promise. */
export function map<T, U>(value: MaybePromise<T>, change: (value: T) => U): MaybePromise<U> {
  return isPromise(value) ? settled(value).then(change) : change(value);
}
