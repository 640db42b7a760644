import type { GuardedConnection } from '../connection/guarded-connection.ts';
import type { Pending } from '../connection/pending.ts';
import type { Handshake } from '../handshake/handshake.ts';
import type { EventHub } from '../vocabulary/events.ts';
import type { Reason } from '../vocabulary/reasons.ts';
import { Roster, type Rostered } from '../vocabulary/roster.ts';

/** Holds slots for a socket that is not open yet. */
export interface Withdrawable extends Rostered {
  /** What accepted the connection. */
  readonly server: object | undefined;
  /** The events of its route's guard. */
  readonly events: EventHub;
  withdraw(): void;
}

/** Members of the registry, by roster. */
export type RegistryPart = { readonly [K in keyof Rosters]: readonly Member<Rosters[K]>[] };
type Rosters = Pick<Registry, 'handshakes' | 'admissions' | 'pendings' | 'lingering' | 'connections'>;
type Member<R> = R extends Roster<infer T> ? T : never;

interface Opened {
  readonly context: { readonly events: EventHub };
  readonly server: object | undefined;
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

  /** The open connections of this guard and its extensions, as they are at each iteration. */
  connectionsOf(guard: EventHub): Iterable<GuardedConnection> {
    const { connections } = this;
    return {
      *[Symbol.iterator]() {
        for (const connection of connections) if (connection.context.events.isWithin(guard)) yield connection;
      },
    };
  }

  /** All that holds a socket or a slot, as it is now, for the guards and servers that are meant. */
  partOf(isMeant: (guard: EventHub, server: object | undefined) => boolean): RegistryPart {
    const isOpenPart = ({ context, server }: Opened): boolean => isMeant(context.events, server);
    return {
      handshakes: [...this.handshakes].filter(({ events, server }) => isMeant(events, server)),
      admissions: [...this.admissions].filter(({ events, server }) => isMeant(events, server)),
      pendings: [...this.pendings].filter(isOpenPart),
      lingering: [...this.lingering].filter(isOpenPart),
      connections: [...this.connections].filter(isOpenPart),
    };
  }

  /** Ends each connection for which `isMeant` returns true. */
  endConnections(reason: Reason, isMeant: (connection: GuardedConnection) => boolean): void {
    for (const connection of this.connections) if (isMeant(connection)) connection.end(reason);
  }
}
