import type { Reason } from '../vocabulary/reasons.ts';
import type { GuardFamily } from './family.ts';

/** Counts of a guard and its extensions. Their size does not grow with the traffic. */
export interface GuardStats {
  /** Open connections. */
  readonly connections: number;
  /** Accepted sockets that have not sent their first message. */
  readonly pending: number;
  /** Handshakes admitted since the start. */
  readonly admitted: number;
  /** Handshakes denied since the start, by reason. */
  readonly denied: CountsByReason;
  /** Messages denied since the start, by reason. */
  readonly messagesDenied: CountsByReason;
  /** Connections that the guard itself closed since the start, by reason. */
  readonly closed: CountsByReason;
  /** Whether the shared store answers; `true` without one. `false` while `onStoreFailure` applies. */
  readonly storeAvailable: boolean;
  /** Revocations that wait to be sent until the store is back. */
  readonly revocationsWaiting: number;
}

type CountsByReason = Readonly<Partial<Record<Reason, number>>>;

export function statsOf({ registry, tally, store }: GuardFamily): GuardStats {
  return {
    connections: registry.connections.size,
    pending: registry.pendings.size,
    admitted: tally.admitted,
    denied: Object.fromEntries(tally.handshakes),
    messagesDenied: Object.fromEntries(tally.messages),
    closed: Object.fromEntries(tally.closed),
    storeAvailable: store.isAvailable,
    revocationsWaiting: store.outbox,
  };
}
