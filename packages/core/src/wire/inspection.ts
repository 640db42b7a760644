import type { Denial } from '../vocabulary/decision.ts';
import type { Addressee, Incoming } from './incoming.ts';

/** What the policy says of a message's type, as far as its handling needs it. */
interface HandledType {
  readonly name: string;
  /** Whether another type may come only after this one, or this one only once. */
  readonly isStep: boolean;
}

/** A message that may be handed to its handlers. Opaque content has no type. */
export interface PassedMessage {
  readonly incoming: Incoming;
  readonly type: HandledType | undefined;
}

/** A new credential for an open connection, which the message stages leave to the authenticators. */
export interface RenewalMessage {
  readonly renewal: Incoming;
}

/** A denied message, where in it the mistake is, and whom to tell. */
export interface DeniedMessage {
  readonly denial: Denial;
  readonly to: Addressee;
  /** A JSON Pointer (RFC 6901); never what stood there. */
  readonly pointer: string | undefined;
  /** Whether only messages of this type come too often, or this one is too big for its type: the connection goes on. */
  readonly ofType: boolean;
}

/** A message about which the application's own rule or schema has thrown, and whom to tell. */
interface FaultedMessage {
  readonly fault: unknown;
  readonly to: Addressee;
}

/** What the message stages say of one message. */
export type Inspection = PassedMessage | RenewalMessage | DeniedMessage | FaultedMessage;

export function refuse(
  denial: Denial,
  to: Addressee,
  { pointer, ofType = false }: { readonly pointer?: string; readonly ofType?: boolean } = {},
): DeniedMessage {
  return { denial, to, pointer, ofType };
}
