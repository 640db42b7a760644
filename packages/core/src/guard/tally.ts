import type { EventHub } from '../vocabulary/events.ts';
import type { Reason } from '../vocabulary/reasons.ts';

type Counts = Map<Reason, number>;

/**
 * Counts what a guard and its extensions have open, and what they have admitted, denied and closed since the start. It has at
 * most one entry for each reason.
 */
export class Tally {
  /** Open connections. */
  connections = 0;
  /** Accepted sockets that have not sent their first message. */
  pending = 0;
  /** Handshakes admitted since the start. */
  admitted = 0;
  readonly handshakes: Counts = new Map();
  readonly messages: Counts = new Map();
  readonly closed: Counts = new Map();

  follow(events: EventHub): void {
    events.on('handshake.denied', ({ reason }) => count(this.handshakes, reason));
    events.on('message.denied', ({ reason }) => count(this.messages, reason));
  }

  /**
   * Counts a closed connection, and its `reason` if the guard closed it. Called directly, because listening to an event would
   * make every close build one.
   */
  connectionClosed(reason: Reason | undefined): void {
    this.connections--;
    if (reason !== undefined) count(this.closed, reason);
  }
}

function count(counts: Counts, reason: Reason): void {
  counts.set(reason, (counts.get(reason) ?? 0) + 1);
}
