import { type Denial, deny, type MaybePromise } from '../vocabulary/decision.ts';
import type { Clock } from '../vocabulary/ports.ts';
import { type Addressee, UNADDRESSED } from '../wire/incoming.ts';
import { type DeniedMessage, type Inspection, refuse } from '../wire/inspection.ts';
import { type DeliveryContext, type DeliveryOwner, failDelivery } from './delivery.ts';
import type { Denials } from './denials.ts';
import { Inbox, type InboxOwner, type Waiting } from './inbox.ts';
import { Throttle, type ThrottleLimits, type ThrottleOwner } from './throttle.ts';

export interface IntakeContext {
  readonly clock: Clock;
  /** What is done with messages that come too fast. */
  readonly onRate: 'close' | 'drop' | 'throttle';
  readonly throttle: ThrottleLimits;
  /** How many messages may wait for an asynchronous handler before the socket is paused. */
  readonly queuedMessages: number;
  /** Whom an error reply about a message that is not handled goes to. */
  addresseeOf(data: Uint8Array | string, isBinary: boolean): Addressee;
}

/** The connection that receives the messages. */
export interface IntakeOwner extends DeliveryOwner {
  readonly context: IntakeContext & DeliveryContext;
  readonly denials: Pick<Denials, 'deny' | 'flooded'>;
  /** Checks a message's size and rate, before it is parsed. */
  checkFrame(bytes: number): Denial | undefined;
  /** Handles one message. If it returns a promise, later messages wait for that. */
  handle(data: Uint8Array | string, isBinary: boolean): MaybePromise<unknown>;
  /** Called after `retire`, when every message that was received is handled or refused. */
  finished(): void;
}

/**
 * Takes a connection's messages from the socket to their handlers: counts them as they arrive, keeps them in order, and delays
 * those that come too fast. While its inbox or its throttle is full, the socket is not read, so that TCP holds the sender back.
 */
export class Intake implements InboxOwner, ThrottleOwner {
  readonly #inbox: Inbox;
  #throttle: Throttle | undefined;
  #isRetiring = false;
  #isDismissed = false;
  /** Whether the end waits for a look at what the kernel has received. */
  #isLooking = false;
  /** Whether a message was received during that look. */
  #hasReceived = false;
  /** How many of the two, inbox and throttle, want the socket not to be read. */
  #pauses = 0;

  constructor(readonly owner: IntakeOwner) {
    this.#inbox = new Inbox(this, owner.context.queuedMessages);
  }

  receive(data: Uint8Array | string, isBinary: boolean, bytes: number): void {
    this.#hasReceived = true;
    if (this.#isDismissed) {
      const denial = this.owner.checkFrame(bytes);
      if (denial === undefined || this.#throttles(denial)) this.#refuseUnread({ data, isBinary });
      else this.owner.denials.deny(refuse(denial, UNADDRESSED));
      return;
    }
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

  /** Called in a shutdown. What was received is still handled, then the owner is told. */
  retire(): void {
    this.#isRetiring = true;
    this.#inbox.reportEmpty();
    this.emptied();
  }

  /**
   * Called near the end of a shutdown. The message whose handler runs is finished. The others that were received, and those that
   * are still to come, are answered that they are not handled, so that their senders know what to send to another node.
   */
  dismiss(): void {
    this.#isDismissed = true;
    const giveUp = (waiting: Waiting) => this.#refuseUnread(waiting);
    this.#inbox.giveUp(giveUp);
    this.#throttle?.giveUp(giveUp);
    this.retire();
  }

  /** Whether a message that was inspected must not reach its handler, because `dismiss` was called meanwhile. It is answered. */
  turnsAway(inspection: Inspection): boolean {
    if (!this.#isDismissed || 'fault' in inspection) return false;
    if ('incoming' in inspection) this.#refuse(inspection.incoming.id);
    else if ('renewal' in inspection) this.#refuse(inspection.renewal.id);
    else this.#refuse(inspection.to);
    return true;
  }

  emptied(): void {
    if (!this.#isRetiring || this.#isLooking || !this.#isEmpty) return;
    if (this.#isDismissed) this.owner.finished();
    else this.#look();
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

  get #isEmpty(): boolean {
    return this.#inbox.isEmpty && this.#throttle?.isWaiting !== true;
  }

  /** Ends the retirement after a whole turn of the event loop without a message: what the kernel had received, is read then. */
  #look(): void {
    this.#isLooking = true;
    this.#hasReceived = false;
    setImmediate(() => setImmediate(() => this.#looked()));
  }

  #looked(): void {
    this.#isLooking = false;
    if (this.#hasReceived && !this.#isDismissed) this.emptied();
    else if (this.#isEmpty) this.owner.finished();
  }

  #refuseUnread({ data, isBinary }: Waiting): void {
    this.#refuse(this.owner.context.addresseeOf(data, isBinary));
  }

  #refuse(to: Addressee): void {
    const denial = deny('shutting_down', 'it came too late to be handled').at('shutdown');
    this.owner.denials.deny(refuse(denial, to));
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
