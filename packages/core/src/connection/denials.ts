import { remaining, spend } from '../limits/cell-rate.ts';
import { type Denial, deny } from '../vocabulary/decision.ts';
import type { ConnectionFacts, EventHub, Facts } from '../vocabulary/events.ts';
import type { Clock } from '../vocabulary/ports.ts';
import type { Reason } from '../vocabulary/reasons.ts';
import type { RateLimit } from '../vocabulary/store-contract.ts';
import type { Addressee } from '../wire/incoming.ts';
import type { DeniedMessage } from '../wire/inspection.ts';

/** Reasons that end the connection even if `onDenied` is `'reply'`. */
const FATAL: ReadonlySet<Reason> = new Set<Reason>([
  'frame_unsupported',
  'message_too_big',
  'message_rate',
  // Without a valid credential and session the connection must not stay open.
  'revoked',
  'banned',
  'not_authorized',
  'auth_attempts',
]);

/** Reasons that an honest client cannot foresee or avoid. They do not count as violations. */
const NO_VIOLATION: ReadonlySet<Reason> = new Set<Reason>([
  'step_up_required',
  'auth_unavailable',
  'store_unavailable',
  'shutting_down',
]);

/** Reasons that lie in an earlier decision about the identity, or in a fault of ours. They do not count towards a ban. */
const NO_OFFENCE: ReadonlySet<Reason> = new Set<Reason>([...NO_VIOLATION, 'revoked', 'banned', 'internal']);

/** Milliseconds between two error replies for dropped messages. */
const TELL_EVERY = 1_000;

export interface DenialsContext {
  readonly clock: Clock;
  readonly events: EventHub;
  /** Whether a denied message is answered, or closes the connection. */
  readonly onDenied: 'reply' | 'close';
  /** What is done with messages that come too fast. */
  readonly onRate: 'close' | 'drop' | 'throttle';
  /** Whether rates are only reported. */
  readonly reportRate: boolean;
  /** How many denied messages end a connection: the one that uses up the budget closes it. */
  readonly violations: RateLimit;
  /** Bytes that may wait to be sent. */
  readonly buffered: number;
  /** What is done when more bytes would wait. */
  readonly onSlowConsumer: 'close' | 'drop';
}

/** The connection whose messages are denied. */
export interface DenialsOwner {
  readonly context: DenialsContext;
  facts(): Facts<ConnectionFacts>;
  /** Sends the client an error reply. `wait`: milliseconds after which a retry makes sense. */
  answer(reason: Reason, pointer: string | undefined, to: Addressee, wait?: number): void;
  end(reason: Reason): void;
  /** Counts misbehaviour that only the peer itself can have caused. Too much of it leads to a ban. */
  offence(): void;
}

/** What a denial leads to: an event, an error reply or a close, a violation, an offence that counts towards a ban. */
export class Denials {
  /** The state of the rate of violations, as `spend` returns it. */
  #violations = 0;
  /** When a dropped message was last answered, in monotonic milliseconds. */
  #toldAt: number | undefined;

  constructor(readonly owner: DenialsOwner) {}

  deny({ denial, pointer, to, ofType }: DeniedMessage): void {
    const { owner } = this;
    const { onDenied, onRate } = owner.context;
    const { reason } = denial;
    const dropped = reason === 'message_rate' && !ofType && onRate === 'drop';
    if (dropped && !this.#mayTell()) return;
    this.#emit('message.denied', denial, pointer);
    if (FATAL.has(reason) && !ofType && !dropped) owner.end(reason);
    else if (NO_VIOLATION.has(reason)) owner.answer(reason, pointer, to, denial.retryAfter);
    else if (this.#violates()) owner.end('too_many_violations');
    else if (onDenied === 'close' && !dropped) owner.end(reason);
    else owner.answer(reason, pointer, to);
    // Counted last: a ban would close the connection with `banned`, before the reason above could.
    if (!NO_OFFENCE.has(reason)) owner.offence();
  }

  /** Reports a message that a report-only stage would have denied. */
  report(denial: Denial, pointer: string | undefined): void {
    this.#emit('message.reported', denial, pointer);
  }

  /** Ends the connection, because too much came that can be neither dropped nor throttled, such as pings or empty fragments. */
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

  /** Denies sending, because too many bytes wait. For a `part` of a message `'drop'` closes, too: a gap would break the message. */
  slowConsumer(part: boolean): void {
    const { buffered, onSlowConsumer } = this.owner.context;
    const denial = deny('slow_consumer', `more than ${buffered} bytes`).at('outbound');
    this.#emit('message.denied', denial, undefined);
    if (onSlowConsumer === 'close' || part) this.owner.end('slow_consumer');
  }

  /** Records that the WebSocket library refused a frame. The library closes the socket itself. */
  brokenFrame(reason: Reason): void {
    this.#emit('message.denied', deny(reason, 'refused by the WebSocket library').at('size'), undefined);
    this.owner.offence();
  }

  #emit(name: 'message.denied' | 'message.reported', denial: Denial, pointer: string | undefined): void {
    const { reason, stage = 'dispatch' } = denial;
    this.owner.context.events.emit(name, () => ({ ...this.owner.facts(), reason, stage, pointer }));
  }

  /** Whether a dropped message may be answered again. */
  #mayTell(): boolean {
    const now = this.owner.context.clock.monotonic();
    if (now - (this.#toldAt ?? Number.NEGATIVE_INFINITY) < TELL_EVERY) return false;
    this.#toldAt = now;
    return true;
  }

  /** Counts a violation. Returns whether the budget is used up. */
  #violates(): boolean {
    const { clock, violations } = this.owner.context;
    const now = clock.monotonic();
    const spent = spend(this.#violations, now, violations);
    if (spent >= 0) this.#violations = spent;
    return spent < 0 || remaining(spent, now, violations) === 0;
  }
}
