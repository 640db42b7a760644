import type { GuardedConnection } from '../connection/guarded-connection.ts';
import type { Pending } from '../connection/pending.ts';
import type { Handshake } from '../handshake/handshake.ts';
import type { Reason } from '../vocabulary/reasons.ts';
import { Roster, type Rostered } from '../vocabulary/roster.ts';

/** What holds slots for a socket that is not there yet. */
export interface Withdrawable extends Rostered {
  withdraw(): void;
}

/** Everything of a node that holds a socket or a slot, on one of five rosters from its handshake to its close. */
export class Registry {
  /** Handshakes on which nothing is decided yet: bounded by the deadline and the rates. */
  readonly handshakes = new Roster<Handshake>();
  /** Passed handshakes whose socket is not open yet. */
  readonly admissions = new Roster<Withdrawable>();
  /** Sockets that have not sent their first message. */
  readonly pendings = new Roster<Pending>();
  /** Sockets that were pending, and are being closed. */
  readonly lingering = new Roster<Pending>();
  /** In the order in which they were opened. */
  readonly connections = new Roster<GuardedConnection>();

  /** Ends each connection that is meant. */
  endConnections(reason: Reason, isMeant: (connection: GuardedConnection) => boolean): void {
    for (const connection of this.connections) if (isMeant(connection)) connection.end(reason);
  }
}
