import type { IdentityShare } from './identity-rates.ts';

/** What one connection has used up of the limits for messages, and the steps that it has made. */
export class MessageLedger {
  /** Theoretical arrival times of the next message and of the next byte: the states of two buckets. */
  messages = 0;
  bytes = 0;
  /** The bucket that all connections of an identity share, where the policy limits them together. */
  share: IdentityShare | undefined = undefined;
  /** The buckets of the message types that have a rate of their own. */
  types: Map<string, number> | undefined = undefined;
  /** Message types that were handled and that other types wait for. */
  steps: Set<string> | undefined = undefined;
}
