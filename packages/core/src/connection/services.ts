import type { Denial, MaybePromise } from '../vocabulary/decision.ts';
import type { EventHub } from '../vocabulary/events.ts';
import type { Clock, Identity, RequestView } from '../vocabulary/ports.ts';
import type { Reason } from '../vocabulary/reasons.ts';
import type { Lease, RateLimit } from '../vocabulary/store.ts';
import type { Payload } from '../wire/codec.ts';
import type { Addressee, Incoming, MessageId } from '../wire/incoming.ts';
import type { ConnectionState } from './connection.ts';
import type { LivenessLimits } from './liveness.ts';
import type { ThrottleLimits } from './throttle.ts';

/** A denied message, where in it the mistake is, and whom to tell. */
export interface DeniedMessage {
  readonly denial: Denial;
  readonly to: Addressee;
  readonly pointer: string | undefined;
  /** Whether only its type has come too often, or too big: the connection goes on. */
  readonly ofType: boolean;
}

/** A message that has passed; `type` is what the policy says of its type, opaque content has none. */
export interface PassedMessage {
  readonly incoming: Incoming;
  readonly type: { readonly name: string; readonly isStep: boolean } | undefined;
}

/** A message about which the application's own rule or schema has thrown, and whom to tell. */
interface FaultedMessage {
  readonly fault: unknown;
  readonly to: Addressee;
}

/** What the message room says of one message. */
export type Judgement = PassedMessage | { readonly renewal: Incoming } | DeniedMessage | FaultedMessage;

/** Puts what is sent into its envelope and its codec. */
export interface Writing {
  /** @throws TypeError for a reply that the policy does not know, or that does not match its schema. */
  message(type: string, body: unknown): Payload;
  /** `undefined` where nobody asked for an answer. @throws TypeError as `message` does. */
  answer(id: MessageId | undefined, type: string | undefined, body: unknown): Payload | undefined;
  notice(type: string, body: object): Payload;
  noticeTo(id: MessageId | undefined, type: string, body: object): Payload;
  error(code: Reason, path: string | undefined, to: Addressee): Payload | undefined;
  /** A message as it is handed on, for those who want its bytes. */
  rewrite(incoming: Incoming): Payload;
}

/** What a connection needs from the rooms beside it, the same for all connections of a guard. */
export interface ConnectionServices {
  readonly clock: Clock;
  readonly events: EventHub;
  /** Size and rate, as the frame arrives. */
  admit(connection: ConnectionState, bytes: number, now: number): Denial | undefined;
  /** Parse, schema, permission. */
  judge(connection: ConnectionState, data: Uint8Array | string, isBinary: boolean): MaybePromise<Judgement>;
  /** Judges a new credential for an open connection. */
  renew(connection: ConnectionState, message: unknown): MaybePromise<Identity | Denial>;
  isRevoked(identity: Identity): boolean;
  /** Milliseconds that the connection may outlive the identity's `expiresAt`. */
  toleranceOf(identity: Identity): number;
  /** Milliseconds after which a connection ends, whatever renews it. */
  readonly lifetime: number;
  /** Milliseconds before the credential's end at which the client is told; 0 for never. */
  readonly expiryNotice: number;
  readonly writer: Writing;
  /** Whether the policy knows the type, for `on`. */
  knows(type: string): boolean;
  /** Whether a denied message is answered, or closes. */
  readonly onDenied: 'reply' | 'close';
  /** Whether a handler that fails is answered with `internal`, or closes. */
  readonly onFault: 'reply' | 'close';
  /** Bytes that may wait to be sent. */
  readonly buffered: number;
  /** What is done beyond that. */
  readonly onSlowConsumer: 'close' | 'drop';
  /** How many denied messages a connection may make: the one with which nothing is left ends it. */
  readonly violations: RateLimit;
  /** What is done with messages that come too fast. */
  readonly onRate: 'close' | 'drop' | 'throttle';
  readonly throttle: ThrottleLimits;
  /** Pings and pongs of the peer. */
  readonly controls: RateLimit;
  /** Whether rates are only reported. */
  readonly reportRate: boolean;
  readonly liveness: LivenessLimits;
  /** How many messages may wait for an asynchronous handler before the socket is paused. */
  readonly queuedMessages: number;
  /** Milliseconds that a peer has for the closing handshake before it is terminated. */
  readonly closeTimeout: number;
  /** Something that only the peer itself can have done: too much of it bans. */
  offence(connection: ConnectionState): void;
  opened(connection: ConnectionState): void;
  /** `reason` is there where the guard ended it. */
  closed(connection: ConnectionState, reason: Reason | undefined): void;
}

/** What is known of a connection from its handshake. */
export interface ConnectionOrigin {
  readonly identity: Identity;
  readonly subprotocol: string | undefined;
  readonly address: string;
  readonly path: string;
  readonly lease: Lease;
  /** Whether the address may be banned for what comes over it. */
  readonly bannable: boolean;
  /** The handshake without the host's request, where a renewal asks `authorize` again. */
  readonly request: RequestView | undefined;
}
