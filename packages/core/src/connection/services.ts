import type { Denial, MaybePromise } from '../decision.ts';
import type { EventHub } from '../events.ts';
import type { Clock, Identity, Lease, RequestView } from '../ports.ts';
import type { ConnectionState } from './connection.ts';

/** What the message room says of one message. */
export type Judgement =
  | { readonly type: string | undefined; readonly message: unknown }
  | { readonly renewal: object }
  | { readonly denial: Denial; readonly pointer: string | undefined };

/** What a connection needs from the rooms beside it, the same for all connections of a guard. */
export interface ConnectionServices {
  readonly clock: Clock;
  readonly events: EventHub;
  /** Size and rate, as the frame arrives. */
  admit(connection: ConnectionState, bytes: number, now: number): Denial | undefined;
  /** Parse, schema, permission. */
  judge(connection: ConnectionState, data: Uint8Array | string, isBinary: boolean): MaybePromise<Judgement>;
  /** Judges a new credential for an open connection. */
  renew(connection: ConnectionState, message: object): MaybePromise<Identity | Denial>;
  isRevoked(identity: Identity): boolean;
  /** Milliseconds that the connection may outlive the identity's `expiresAt`. */
  toleranceOf(identity: Identity): number;
  /** Milliseconds after which a connection ends, whatever renews it. */
  readonly lifetime: number;
  /** Milliseconds before the credential's end at which the client is told; 0 for never. */
  readonly expiryNotice: number;
  /** Turns a reply into text; throws where it does not match `policy.replies`. */
  encode(type: string, body: object): string;
  /** Whether the policy knows the type, for `on`. */
  knows(type: string): boolean;
  /** Whether a denied message is answered, or closes. */
  readonly onDenied: 'reply' | 'close';
  /** How many denied messages end the connection. */
  readonly violations: number;
  /** How many messages may wait for an asynchronous handler before the socket is paused. */
  readonly queuedMessages: number;
  /** Milliseconds that a peer has for the closing handshake before it is terminated. */
  readonly closeTimeout: number;
  opened(connection: ConnectionState): void;
  closed(connection: ConnectionState): void;
}

/** What is known of a connection from its handshake. */
export interface ConnectionOrigin {
  readonly identity: Identity;
  readonly subprotocol: string | undefined;
  readonly address: string;
  readonly path: string;
  readonly lease: Lease;
  /** The handshake without the host's request, where a renewal asks `authorize` again. */
  readonly request: RequestView | undefined;
}
