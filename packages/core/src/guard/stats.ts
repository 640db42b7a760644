import type { StoreAccess } from '../limits/store-access.ts';
import type { Reason } from '../vocabulary/reasons.ts';
import type { Tally } from './tally.ts';

/** Counts of a guard and its extensions. Their size does not grow with the traffic. */
export interface GuardStats {
  /** Open connections. */
  readonly connections: number;
  /** Accepted sockets that have not sent their first message. */
  readonly pending: number;
  /** Handshakes admitted since the start. */
  readonly admitted: number;
  /** Handshakes denied since the start, by reason. What the outer door denies counts for the guard that `createGuard` made. */
  readonly denied: CountsByReason;
  /** Messages denied since the start, by reason. */
  readonly messagesDenied: CountsByReason;
  /** Connections that the guard itself closed since the start, by reason. */
  readonly closed: CountsByReason;
  /** Whether the store, which the whole family shares, answers; `true` without one. `false` while `onStoreFailure` applies. */
  readonly storeAvailable: boolean;
  /** Revocations that wait to be sent until the store is back. */
  readonly revocationsWaiting: number;
}

type CountsByReason = Readonly<Partial<Record<Reason, number>>>;

export function statsOf(tally: Tally, store: StoreAccess): GuardStats {
  return {
    connections: tally.connections,
    pending: tally.pending,
    admitted: tally.admitted,
    denied: Object.fromEntries(tally.handshakes),
    messagesDenied: Object.fromEntries(tally.messages),
    closed: Object.fromEntries(tally.closed),
    storeAvailable: store.isAvailable,
    revocationsWaiting: store.outbox,
  };
}
