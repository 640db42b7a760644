import type { Writer } from '../outbound/writer.ts';
import type { Denial, MaybePromise } from '../vocabulary/decision.ts';
import type { EventHub } from '../vocabulary/events.ts';
import type { Clock, Socket } from '../vocabulary/ports.ts';
import type { Lease } from '../vocabulary/store-contract.ts';
import type { Incoming } from '../wire/incoming.ts';
import type { GuardedConnection } from './guarded-connection.ts';

/** The settings of a route's pending connections, and functions that call the guard. `P` is the type of the pending connection. */
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
  /** How many bytes of messages may wait, such as those that follow an auth message while its credential is verified. */
  readonly queuedBytes: number;
  readonly closeTimeout: number;
  /** Parses a message. Returns `undefined` if it is no auth message. Never throws. */
  readAuth(data: Uint8Array | string, isBinary: boolean): Incoming | undefined;
  readonly writer: Writer;
  opened(pending: P): void;
  /** Called when the connection has authenticated or is being closed. */
  settled(pending: P): void;
  /** Called when the connection was denied. Its socket is still closing. */
  lingers(pending: P): void;
  /** Called when the socket of a connection that never authenticated has closed. */
  closed(pending: P): void;
}

/** What a pending connection keeps of its handshake, and the slots that it holds. */
export interface PendingOrigin {
  readonly id: string;
  readonly address: string;
  readonly path: string;
  /** What accepted the connection. */
  readonly server: object | undefined;
  /** The slots in total and of the address. The open connection keeps them. */
  readonly lease: Lease;
  /** The slots of pending connections. Released as soon as this connection is no longer pending. */
  readonly pendingLease: Lease;
  /** Verifies an auth message. On success the identity's slot is held, and the connection can be opened. */
  readonly authenticate: (message: unknown, signal: AbortSignal) => MaybePromise<Authenticated | Denial>;
}

/** A first message that has authenticated. */
export interface Authenticated {
  open(socket: Socket): GuardedConnection;
  /** Releases the identity's slot, if the peer has left in the meantime. */
  release(): void;
}
