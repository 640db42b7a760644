import type { IdentityShare } from '../limits/identity-rates.ts';
import type { Denial } from '../vocabulary/decision.ts';
import type { ConnectionView } from '../vocabulary/ports.ts';
import type { Addressee, Incoming } from '../wire/incoming.ts';
import type { CompiledType } from './rules.ts';

/** What a connection has used up, and how far it has come. */
interface Ledger {
  /** Theoretical arrival times of the next message and byte: the state of two buckets. */
  messages: number;
  bytes: number;
  /** The bucket that all connections of an identity share, where there is a limit for them. */
  share: IdentityShare | undefined;
  /** The same for the types that have a rate of their own. */
  types: Map<string, number> | undefined;
  /** The steps that have been handled. */
  steps: Set<string> | undefined;
}

/** Whose message it is, as far as the message room has to know. */
export interface Sender extends ConnectionView {
  readonly ledger: Ledger;
  /** Records what a stage in report-only mode would have denied. */
  reported(denial: Denial, pointer?: string): void;
}

/** A message that may be handed on, with the rule of its type; opaque content has none. */
export interface Passed {
  readonly incoming: Incoming;
  readonly type: CompiledType | undefined;
}

/** A new credential for an open connection, which is not the message room's to judge. */
export interface Renewal {
  readonly renewal: Incoming;
}

/** A denied message, where in it the mistake is, and whom to tell. */
export interface MessageDenial {
  readonly denial: Denial;
  readonly to: Addressee;
  readonly pointer: string | undefined;
  /** Whether only this type of message has come too often, or too big: the connection goes on. */
  readonly ofType: boolean;
}

/** A message about which the application's own rule or schema has thrown, and whom to tell. */
interface Faulted {
  readonly fault: unknown;
  readonly to: Addressee;
}

export type Verdict = Passed | Renewal | MessageDenial | Faulted;

export function refuse(
  denial: Denial,
  to: Addressee,
  { pointer, ofType = false }: { readonly pointer?: string; readonly ofType?: boolean } = {},
): MessageDenial {
  return { denial, to, pointer, ofType };
}
