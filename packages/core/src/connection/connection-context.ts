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
 * What all connections of a route share: their settings, and the way to the message stages and to the guard. `C` is a
 * connection.
 */
export interface ConnectionContext<C>
  extends IntakeContext,
    DeliveryContext,
    DenialsContext,
    EndingContext,
    RenewalContext<C>,
    TermContext {
  readonly liveness: LivenessLimits;
  /** Pings and pongs of the peer. */
  readonly controls: RateLimit;
  readonly writer: Writer;
  /** Size and rate, as the frame arrives. */
  checkFrame(connection: C, bytes: number, now: number): Denial | undefined;
  /** Parse, schema, permission. */
  inspectMessage(connection: C, data: Uint8Array | string, isBinary: boolean): MaybePromise<Inspection>;
  /** Counts something that only the peer itself can have done: too much of it bans. */
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
