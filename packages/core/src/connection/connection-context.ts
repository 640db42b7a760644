import type { Writer } from '../outbound/writer.ts';
import type { Denial, MaybePromise } from '../vocabulary/decision.ts';
import type { Identity, RequestView } from '../vocabulary/ports.ts';
import type { Reason } from '../vocabulary/reasons.ts';
import type { Lease, RateLimit } from '../vocabulary/store-contract.ts';
import type { Inspection } from '../wire/inspection.ts';
import type { RenewalContext } from './credential-renewal.ts';
import type { DeliveryContext } from './delivery.ts';
import type { DenialsContext } from './denials.ts';
import type { EndingContext } from './ending.ts';
import type { IntakeContext } from './intake.ts';
import type { LivenessLimits } from './liveness.ts';
import type { TermContext } from './term.ts';

/**
 * What all connections of a route share: their settings, and functions that call the message stages and the guard. `C` is
 * the type of the connection.
 */
export interface ConnectionContext<C>
  extends IntakeContext,
    DeliveryContext,
    DenialsContext,
    EndingContext,
    RenewalContext<C>,
    TermContext {
  readonly liveness: LivenessLimits;
  /** The limit on the peer's pings and pongs. */
  readonly controls: RateLimit;
  readonly writer: Writer;
  /** Checks a message's size and rate, before it is parsed. */
  checkFrame(connection: C, bytes: number, now: number): Denial | undefined;
  /** Parses a message, and checks it against its schema and its permission. */
  inspectMessage(connection: C, data: Uint8Array | string, isBinary: boolean): MaybePromise<Inspection>;
  /** Counts misbehaviour that only the peer itself can have caused. Too much of it leads to a ban. */
  offence(connection: C): void;
  opened(connection: C): void;
  /** Called when the socket has closed. `reason` is set if the guard ended the connection. */
  closed(connection: C, reason: Reason | undefined): void;
}

/** What a connection keeps of its handshake. */
export interface ConnectionOrigin {
  readonly identity: Identity;
  readonly subprotocol: string | undefined;
  readonly address: string;
  readonly path: string;
  /** What accepted the connection. */
  readonly server: object | undefined;
  readonly lease: Lease;
  /** Whether the address may be banned. Never true for loopback and trusted proxies. */
  readonly bannable: boolean;
  /** The handshake without the host's request. Set if renewals are allowed, which call `authorize` again. */
  readonly request: RequestView | undefined;
}
