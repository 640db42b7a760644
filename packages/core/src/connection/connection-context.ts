import type { Writer } from '../outbound/writer.ts';
import type { Denial, MaybePromise } from '../vocabulary/decision.ts';
import type { EventHub } from '../vocabulary/events.ts';
import type { Identity, RequestView } from '../vocabulary/ports.ts';
import type { Reason } from '../vocabulary/reasons.ts';
import type { Lease, RateLimit } from '../vocabulary/store.ts';
import type { Inspection } from '../wire/inspection.ts';
import type { LivenessLimits } from './liveness.ts';
import type { TermContext } from './term.ts';
import type { ThrottleLimits } from './throttle.ts';

/** The settings of a route's connections, and their way to the other layers. `C` is a connection. */
export interface ConnectionContext<C> extends TermContext {
  readonly events: EventHub;
  /** Size and rate, as the frame arrives. */
  checkFrame(connection: C, bytes: number, now: number): Denial | undefined;
  /** Parse, schema, permission. */
  inspectMessage(connection: C, data: Uint8Array | string, isBinary: boolean): MaybePromise<Inspection>;
  /** Who a new credential for an open connection belongs to. */
  renew(connection: C, message: unknown): MaybePromise<Identity | Denial>;
  isRevoked(identity: Identity): boolean;
  readonly writer: Writer;
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
  offence(connection: C): void;
  opened(connection: C): void;
  /** `reason` is there where the guard ended it. */
  closed(connection: C, reason: Reason | undefined): void;
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
