import type { Reason } from './reasons.ts';

/** The stages of a handshake, in the order in which they decide. */
export type HandshakeStage =
  | 'request'
  | 'transport'
  | 'host'
  | 'address'
  | 'rate'
  | 'credential'
  | 'origin'
  | 'subprotocol'
  | 'authentication'
  | 'csrf'
  | 'authorization'
  | 'admission';

/** The stages of a message, in the order in which they decide. */
export type MessageStage =
  | 'size'
  | 'message-rate'
  | 'parse'
  | 'order'
  | 'schema'
  | 'sanitize'
  | 'message-authorization'
  | 'dispatch'
  | 'outbound';

/** Where a decision was made. Events, `explain()` and `report` use these names. */
export type StageName = HandshakeStage | MessageStage | 'deadline' | 'route' | 'shutdown' | 'socket';

/** A promise only if something asynchronous was asked. */
export type MaybePromise<T> = T | Promise<T>;

/** Whether a value has to be waited for, so that what is there already is used at once. */
export function isPromise<T>(value: MaybePromise<T>): value is Promise<T> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  );
}

/**
 * Makes a true promise of an answer of the application's code. `await` also accepts an object whose `then` returns
 * nothing; chaining on that would lose the answer, and with it the denial.
 */
export function settled<T>(answer: Promise<T>): Promise<T> {
  return Promise.resolve(answer);
}

/**
 * A denial is a returned value. Clients learn its reason and public text. `detail` and `stage` are for operators and
 * hold no token, cookie, session id or message body.
 */
export class Denial {
  readonly denied = true;

  constructor(
    readonly reason: Reason,
    readonly detail: string,
    /** Milliseconds after which a retry makes sense, if known. */
    readonly retryAfter?: number,
    readonly stage?: StageName,
  ) {}

  /** The same denial, given by this stage. */
  at(stage: StageName): Denial {
    return this.stage === undefined ? new Denial(this.reason, this.detail, this.retryAfter, stage) : this;
  }
}

/** A denial for one of the reasons. `detail` is for operators; clients never see it. `retryAfter` is in milliseconds. */
export function deny(reason: Reason, detail: string, retryAfter?: number): Denial {
  return new Denial(reason, detail, retryAfter);
}
