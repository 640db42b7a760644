import type { Writer } from '../outbound/writer.ts';
import type { Denial, MaybePromise } from '../vocabulary/decision.ts';
import type { EventHub } from '../vocabulary/events.ts';
import type { Clock, Socket } from '../vocabulary/ports.ts';
import type { Lease } from '../vocabulary/store-contract.ts';
import type { Incoming } from '../wire/incoming.ts';
import type { GuardedConnection } from './guarded-connection.ts';

/** The settings of a route's pending connections, and their way to the other layers. `P` is a pending connection. */
export interface PendingContext<P> {
  readonly clock: Clock;
  readonly events: EventHub;
  /** Milliseconds from the 101 until the first message must have authenticated; no traffic extends it. */
  readonly timeout: number;
  /** How many auth messages may fail. */
  readonly attempts: number;
  /** How many pings and pongs may come. */
  readonly controls: number;
  /** The largest auth message, in bytes. */
  readonly authMessageBytes: number;
  /** What is done with a message that comes before the auth message. */
  readonly early: 'refuse' | 'queue';
  /** How many bytes of messages may wait, in either case those that follow an auth message that is being judged. */
  readonly queuedBytes: number;
  readonly closeTimeout: number;
  /** Whether a message is an auth message; parses it safely and never throws. */
  readAuth(data: Uint8Array | string, isBinary: boolean): Incoming | undefined;
  readonly writer: Writer;
  opened(pending: P): void;
  /** It is pending no more. */
  settled(pending: P): void;
  /** It was not let in, and its socket is being closed. */
  lingers(pending: P): void;
  /** Its socket has closed, and it never became a connection. */
  closed(pending: P): void;
}

/** What is known of a pending connection, and what it holds. */
export interface PendingOrigin {
  readonly id: string;
  readonly address: string;
  readonly path: string;
  /** The slots in total and of the address; they go on to the connection. */
  readonly lease: Lease;
  /** The slots of pending connections; given back as soon as this one is none any more. */
  readonly pendingLease: Lease;
  /** Looks at an auth message; with success the connection can be opened, its identity's slot held. */
  readonly authenticate: (message: unknown, signal: AbortSignal) => MaybePromise<Authenticated | Denial>;
}

/** A first message that told who it is. */
export interface Authenticated {
  open(socket: Socket): GuardedConnection;
  /** Gives the identity's slot back where its peer has gone meanwhile. */
  release(): void;
}
