import { remaining, spend } from '../limits/cell-rate.ts';
import { type Denial, deny } from '../vocabulary/decision.ts';
import type { ConnectionFacts, EventHub, Facts } from '../vocabulary/events.ts';
import type { Clock } from '../vocabulary/ports.ts';
import type { Reason } from '../vocabulary/reasons.ts';
import type { RateLimit } from '../vocabulary/store-contract.ts';
import type { Addressee } from '../wire/incoming.ts';
import type { DeniedMessage } from '../wire/inspection.ts';

/** These end the connection, whatever the policy says about replies. */
const FATAL: ReadonlySet<Reason> = new Set<Reason>([
  'frame_unsupported',
  'message_too_big',
  'message_rate',
  // Without a credential or a session that is still good, nothing may go on.
  'revoked',
  'banned',
  'not_authorized',
  'auth_attempts',
]);

/** The client could not have known these, or can do nothing about them. */
const NO_VIOLATION: ReadonlySet<Reason> = new Set<Reason>([
  'step_up_required',
  'auth_unavailable',
  'store_unavailable',
]);

/** These were decided about an identity elsewhere, or are faults: the peer has done nothing. */
const NO_OFFENCE: ReadonlySet<Reason> = new Set<Reason>([...NO_VIOLATION, 'revoked', 'banned', 'internal']);

/** Milliseconds between two answers to messages that are dropped. */
const TELL_EVERY = 1_000;

export interface DenialsContext {
  readonly clock: Clock;
  readonly events: EventHub;
  /** Whether a denied message is answered, or closes. */
  readonly onDenied: 'reply' | 'close';
  /** What is done with messages that come too fast. */
  readonly onRate: 'close' | 'drop' | 'throttle';
  /** Whether rates are only reported. */
  readonly reportRate: boolean;
  /** How many denied messages a connection may send: the one with which nothing is left ends it. */
  readonly violations: RateLimit;
  /** Bytes that may wait to be sent. */
  readonly buffered: number;
  /** What is done beyond that. */
  readonly onSlowConsumer: 'close' | 'drop';
}

/** The connection whose messages are denied. */
export interface DenialsOwner {
  readonly context: DenialsContext;
  facts(): Facts<ConnectionFacts>;
  /** Tells the client of a denial. */
  answer(reason: Reason, pointer: string | undefined, to: Addressee): void;
  end(reason: Reason): void;
  /** Counts something that only the peer itself can have done: too much of it bans. */
  offence(): void;
}

/** What follows when a connection is denied something: an event, an answer or a close, a violation, an offence. */
export class Denials {
  /** The state of the bucket of violations. */
  #violations = 0;
  /** When a dropped message was last answered, in monotonic milliseconds. */
  #toldAt: number | undefined;

  constructor(readonly owner: DenialsOwner) {}

  /** A message was denied. */
  deny({ denial, pointer, to, ofType }: DeniedMessage): void {
    const { owner } = this;
    const { onDenied, onRate } = owner.context;
    const { reason } = denial;
    const dropped = reason === 'message_rate' && !ofType && onRate === 'drop';
    if (dropped && !this.#mayTell()) return;
    this.#emit('message.denied', denial, pointer);
    if (FATAL.has(reason) && !ofType && !dropped) owner.end(reason);
    else if (NO_VIOLATION.has(reason)) owner.answer(reason, pointer, to);
    else if (this.#violates()) owner.end('too_many_violations');
    else if (onDenied === 'close' && !dropped) owner.end(reason);
    else owner.answer(reason, pointer, to);
    // Last, since a ban closes with a reason of its own.
    if (!NO_OFFENCE.has(reason)) owner.offence();
  }

  /** A stage in report-only mode would have denied a message. */
  report(denial: Denial, pointer: string | undefined): void {
    this.#emit('message.reported', denial, pointer);
  }

  /** Too much came that is no message, or that nothing can drop or throttle: only the end helps. */
  flooded(detail: string): void {
    const denial = deny('message_rate', detail).at('message-rate');
    if (this.owner.context.reportRate) {
      this.report(denial, undefined);
      return;
    }
    this.#emit('message.denied', denial, undefined);
    this.owner.end('message_rate');
    this.owner.offence();
  }

  /** More would wait to be sent than may. A `part` of a message cannot be left out alone. */
  slowConsumer(part: boolean): void {
    const { buffered, onSlowConsumer } = this.owner.context;
    const denial = deny('slow_consumer', `more than ${buffered} bytes`).at('outbound');
    this.#emit('message.denied', denial, undefined);
    if (onSlowConsumer === 'close' || part) this.owner.end('slow_consumer');
  }

  /** The WebSocket library refused a frame, and is closing the socket itself. */
  brokenFrame(reason: Reason): void {
    this.#emit('message.denied', deny(reason, 'refused by the WebSocket library').at('size'), undefined);
    this.owner.offence();
  }

  #emit(name: 'message.denied' | 'message.reported', denial: Denial, pointer: string | undefined): void {
    const { reason, stage = 'dispatch' } = denial;
    this.owner.context.events.emit(name, () => ({ ...this.owner.facts(), reason, stage, pointer }));
  }

  /** Whether the last answer to a dropped message is long enough ago. */
  #mayTell(): boolean {
    const now = this.owner.context.clock.monotonic();
    if (now - (this.#toldAt ?? Number.NEGATIVE_INFINITY) < TELL_EVERY) return false;
    this.#toldAt = now;
    return true;
  }

  /** Counts a violation; whether nothing is left of the budget. */
  #violates(): boolean {
    const { clock, violations } = this.owner.context;
    const now = clock.monotonic();
    const spent = spend(this.#violations, now, violations);
    if (spent >= 0) this.#violations = spent;
    return spent < 0 || remaining(spent, now, violations) === 0;
  }
}
