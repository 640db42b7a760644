import type { MessageLedger } from '../limits/message-ledger.ts';
import type { Denial } from '../vocabulary/decision.ts';
import type { ConnectionView } from '../vocabulary/ports.ts';

/** The connection that sent a message, as far as the message stages use it. */
export interface Sender extends ConnectionView {
  readonly ledger: MessageLedger;
  /** Records what a report-only stage would have denied. */
  reported(denial: Denial, pointer?: string): void;
}
