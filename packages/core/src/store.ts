/**
 * What a store of shared state needs: the operations of `Store`, what they are asked and what they answer. All of it is types.
 *
 * @packageDocumentation
 */
export type { MaybePromise } from './vocabulary/decision.ts';
export type {
  Acquired,
  Ban,
  BanTerms,
  Demand,
  Hit,
  HitRequest,
  Lease,
  LeaseRequest,
  PrecheckAnswer,
  PrecheckRequest,
  RateLimit,
  Revocation,
  Store,
  StoreListener,
} from './vocabulary/store-contract.ts';
export type { Duration } from './vocabulary/units.ts';
