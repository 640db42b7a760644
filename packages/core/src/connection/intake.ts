import type { Denial, MaybePromise } from '../vocabulary/decision.ts';
import type { Clock } from '../vocabulary/ports.ts';
import { UNADDRESSED } from '../wire/incoming.ts';
import { type DeniedMessage, refuse } from '../wire/inspection.ts';
import { type DeliveryContext, type DeliveryOwner, failDelivery } from './delivery.ts';
import type { Denials } from './denials.ts';
import { Inbox, type InboxOwner } from './inbox.ts';
import { Throttle, type ThrottleLimits, type ThrottleOwner } from './throttle.ts';

export interface IntakeContext {
  readonly clock: Clock;
  /** What is done with messages that come too fast. */
  readonly onRate: 'close' | 'drop' | 'throttle';
  readonly throttle: ThrottleLimits;
  /** How many messages may wait for an asynchronous handler before the socket is paused. */
  readonly queuedMessages: number;
}

/** The connection that receives the messages. */
export interface IntakeOwner extends DeliveryOwner {
  readonly context: IntakeContext & DeliveryContext;
  readonly denials: Pick<Denials, 'deny' | 'flooded'>;
  /** Checks a message's size and rate, before it is parsed. */
  checkFrame(bytes: number): Denial | undefined;
  /** Handles one message. If it returns a promise, later messages wait for that. */
  handle(data: Uint8Array | string, isBinary: boolean): MaybePromise<unknown>;
  /** Called when the message that was being handled at the time of `close` is done. */
  finished(): void;
}

/**
 * Takes a connection's messages from the socket to their handlers: counts them as they arrive, keeps them in order, and delays
 * those that come too fast. While its inbox or its throttle is full, the socket is not read, so that TCP holds the sender back.
 */
export class Intake implements InboxOwner, ThrottleOwner {
  readonly #inbox: Inbox;
  #throttle: Throttle | undefined;
  /** How many of the two, inbox and throttle, want the socket not to be read. */
  #pauses = 0;

  constructor(readonly owner: IntakeOwner) {
    this.#inbox = new Inbox(this, owner.context.queuedMessages);
  }

  /** Whether a message is being handled, and is not waiting for tokens. */
  get isHandling(): boolean {
    return this.#inbox.isBusy && this.#throttle?.isPaying !== true;
  }

  receive(data: Uint8Array | string, isBinary: boolean, bytes: number): void {
    const wait = this.#throttle?.isWaiting === true ? 1 : this.take(data, isBinary, bytes);
    if (wait > 0) this.#throttled().keep(data, isBinary, bytes, wait);
  }

  /** Counts and accepts a message. Returns 0, or the milliseconds after which to try again. */
  take(data: Uint8Array | string, isBinary: boolean, bytes: number): number {
    const denial = this.owner.checkFrame(bytes);
    if (denial === undefined) this.#inbox.put(data, isBinary);
    else if (this.#throttles(denial)) return waitOf(denial);
    else this.owner.denials.deny(refuse(denial, UNADDRESSED));
    return 0;
  }

  handle(data: Uint8Array | string, isBinary: boolean): MaybePromise<unknown> {
    return this.owner.handle(data, isBinary);
  }

  /** Denies a message, or handles it again once there are enough tokens for the cost of its type. */
  denyOrPostpone(denied: DeniedMessage, data: Uint8Array | string, isBinary: boolean): MaybePromise<unknown> {
    const { denial, ofType } = denied;
    if (!ofType && this.#throttles(denial)) return this.#payLater(waitOf(denial), data, isBinary);
    this.owner.denials.deny(denied);
    return undefined;
  }

  failed(error: unknown): void {
    failDelivery(this.owner, error, UNADDRESSED);
  }

  finished(): void {
    this.owner.finished();
  }

  pauseReading(): void {
    if (this.#pauses++ === 0) this.owner.socket.pause();
  }

  resumeReading(): void {
    if (--this.#pauses === 0) this.owner.socket.resume();
  }

  throttledOut(): void {
    this.owner.denials.flooded('limits.throttle');
  }

  /** Stops handling messages, and reads the socket again, for the closing handshake. */
  close(): void {
    this.#inbox.close();
    this.#throttle?.close();
  }

  /** Whether a message waits for tokens instead of being denied. */
  #throttles({ reason }: Denial): boolean {
    return reason === 'message_rate' && this.owner.context.onRate === 'throttle';
  }

  #throttled(): Throttle {
    const { clock, throttle } = this.owner.context;
    this.#throttle ??= new Throttle(this, throttle, clock);
    return this.#throttle;
  }

  #payLater(wait: number, data: Uint8Array | string, isBinary: boolean): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#throttled().pay(wait, () => {
        try {
          resolve(this.handle(data, isBinary));
        } catch (error) {
          reject(error);
        }
      });
    });
  }
}

/** Milliseconds until a message that came too fast may be tried again. */
function waitOf({ retryAfter = 0 }: Denial): number {
  return Math.max(1, retryAfter);
}
