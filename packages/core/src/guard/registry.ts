import type { GuardedConnection } from '../connection/guarded-connection.ts';
import type { Pending } from '../connection/pending.ts';
import type { Handshake } from '../handshake/handshake.ts';
import type { Reason } from '../vocabulary/reasons.ts';
import { Roster, type Rostered } from '../vocabulary/roster.ts';

/** Holds slots for a socket that is not open yet. */
export interface Withdrawable extends Rostered {
  withdraw(): void;
}

/** All that holds a socket or a slot on this node. From handshake to close, each is on one of five rosters. */
export class Registry {
  /** Handshakes that are not decided yet. The deadline and the rates bound them. */
  readonly handshakes = new Roster<Handshake>();
  /** Passed handshakes whose socket is not open yet. */
  readonly admissions = new Roster<Withdrawable>();
  /** Sockets that have not sent their first message. */
  readonly pendings = new Roster<Pending>();
  /** Sockets that never authenticated, and are being closed. */
  readonly lingering = new Roster<Pending>();
  /** Open connections, oldest first. */
  readonly connections = new Roster<GuardedConnection>();

  /** Ends each connection for which `isMeant` returns true. */
  endConnections(reason: Reason, isMeant: (connection: GuardedConnection) => boolean): void {
    for (const connection of this.connections) if (isMeant(connection)) connection.end(reason);
  }
}
