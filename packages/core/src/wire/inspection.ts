import type { Denial } from '../vocabulary/decision.ts';
import type { Addressee, Incoming } from './incoming.ts';

interface HandledType {
  readonly name: string;
  /** Whether its order matters: another type must come after it, or it may come only once. */
  readonly isStep: boolean;
}

/** A message for its handlers. Opaque content has no type. */
export interface PassedMessage {
  readonly incoming: Incoming;
  readonly type: HandledType | undefined;
}

/** A new credential for an open connection. */
export interface RenewalMessage {
  readonly renewal: Incoming;
}

export interface DeniedMessage {
  readonly denial: Denial;
  readonly to: Addressee;
  /** A JSON Pointer (RFC 6901) to the mistake. It holds no values of the message. */
  readonly pointer: string | undefined;
  /** Whether a limit of this type is exceeded, so that the connection stays open. */
  readonly ofType: boolean;
}

/** A message for which a rule or schema of the application has thrown. */
interface FaultedMessage {
  readonly fault: unknown;
  readonly to: Addressee;
}

/** What the message stages say about one message. */
export type Inspection = PassedMessage | RenewalMessage | DeniedMessage | FaultedMessage;

export function refuse(
  denial: Denial,
  to: Addressee,
  { pointer, ofType = false }: { readonly pointer?: string; readonly ofType?: boolean } = {},
): DeniedMessage {
  return { denial, to, pointer, ofType };
}
