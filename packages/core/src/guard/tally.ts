import type { EventHub } from '../vocabulary/events.ts';
import type { Reason } from '../vocabulary/reasons.ts';

type Counts = Map<Reason, number>;

/** What a guard has admitted, denied and closed since the start; bounded by the number of reasons. */
export class Tally {
  /** Handshakes that were let in. */
  admitted = 0;
  readonly handshakes: Counts = new Map();
  readonly messages: Counts = new Map();
  readonly closed: Counts = new Map();

  follow(events: EventHub): void {
    events.on('handshake.denied', ({ reason }) => count(this.handshakes, reason));
    events.on('message.denied', ({ reason }) => count(this.messages, reason));
  }

  /** A connection has closed; `reason` is there where the guard itself closed it. Most go without one, and cost no event. */
  connectionClosed(reason: Reason | undefined): void {
    if (reason !== undefined) count(this.closed, reason);
  }
}

function count(counts: Counts, reason: Reason): void {
  counts.set(reason, (counts.get(reason) ?? 0) + 1);
}
