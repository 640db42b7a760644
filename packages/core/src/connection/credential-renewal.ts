import type { Writer } from '../outbound/writer.ts';
import { Denial, isPromise, type MaybePromise, settled } from '../vocabulary/decision.ts';
import type { ConnectionFacts, EventHub, Facts } from '../vocabulary/events.ts';
import type { Identity } from '../vocabulary/ports.ts';
import type { Reason } from '../vocabulary/reasons.ts';
import type { Payload } from '../wire/codec.ts';
import type { Incoming } from '../wire/incoming.ts';
import { refuse } from '../wire/inspection.ts';
import type { Denials } from './denials.ts';

/** `C` is the type of the connection. */
export interface RenewalContext<C> {
  readonly events: EventHub;
  /** Verifies the new credential in an auth message of an open connection. */
  renew(connection: C, message: unknown): MaybePromise<Identity | Denial>;
  isRevoked(identity: Identity): boolean;
}

/** The connection whose credential is renewed. */
export interface RenewalOwner {
  readonly state: 'open' | 'closing' | 'closed';
  readonly denials: Pick<Denials, 'deny'>;
  /** Replaces the identity by that of the new credential. */
  adopt(identity: Identity): void;
  facts(): Facts<ConnectionFacts>;
  /** Sends a message that the guard itself writes. */
  notify(write: (writer: Writer) => Payload | undefined): void;
  end(reason: Reason): void;
}

/** Replaces the connection's identity by that of a new credential, or denies the auth message. */
export function renew<C extends RenewalOwner>(
  connection: C,
  context: RenewalContext<C>,
  message: Incoming,
): MaybePromise<void> {
  const result = context.renew(connection, message.body);
  return isPromise(result)
    ? settled(result).then((late) => renewed(connection, context, late, message))
    : renewed(connection, context, result, message);
}

function renewed<C extends RenewalOwner>(
  connection: C,
  context: RenewalContext<C>,
  result: Identity | Denial,
  { id }: Incoming,
): void {
  if (connection.state !== 'open') return;
  if (result instanceof Denial) connection.denials.deny(refuse(result.at('authentication'), id));
  // A revocation that came after the verification found only connections with the old identity.
  else if (context.isRevoked(result)) connection.end('revoked');
  else {
    connection.adopt(result);
    const { expiresAt } = result;
    context.events.emit('connection.renewed', () => ({ ...connection.facts(), expiresAt }));
    const body = expiresAt === undefined ? {} : { expiresAt };
    connection.notify((writer) => writer.noticeTo(id, 'auth_ok', body));
  }
}
