import type { Clock } from '../vocabulary/ports.ts';
import type { Waiting } from './inbox.ts';

export interface ThrottleLimits {
  /** For how many milliseconds at a stretch the socket may not be read. */
  readonly pause: number;
  /** How many messages may wait. */
  readonly messages: number;
}

/** The connection whose messages are delayed. */
export interface ThrottleOwner {
  /** Accepts a message and returns 0, or returns the milliseconds after which to try again. */
  take(data: Uint8Array | string, isBinary: boolean, bytes: number): number;
  /** Stops reading the socket. */
  pauseReading(): void;
  resumeReading(): void;
  /** Called when the pause took too long, or too many messages wait. */
  throttledOut(): void;
  /** Called when no message waits any more. */
  emptied(): void;
}

interface Kept extends Waiting {
  readonly bytes: number;
}

/**
 * Delays messages that came too fast, and keeps their order. The socket is not read meanwhile, so that TCP holds the sender
 * back and nothing is lost. Only messages of the chunk that was already read wait here. Uses one timer, while messages wait.
 */
export class Throttle {
  #kept: Kept[] = [];
  /** Tries the message again that lacks tokens for the cost of its type. No other message may overtake it. */
  #payer: (() => void) | undefined;
  /** Since when the socket is not read; `undefined` if nothing waits. */
  #since: number | undefined;
  #cancel = (): void => {};

  constructor(
    readonly owner: ThrottleOwner,
    readonly limits: ThrottleLimits,
    readonly clock: Clock,
  ) {}

  get isWaiting(): boolean {
    return this.#since !== undefined;
  }

  /** Keeps a message for `wait` milliseconds, and behind those that wait already. */
  keep(data: Uint8Array | string, isBinary: boolean, bytes: number, wait: number): void {
    if (this.#kept.length >= this.limits.messages) {
      this.owner.throttledOut();
      return;
    }
    this.#kept.push({ data, isBinary, bytes });
    if (!this.isWaiting) this.#wait(wait);
  }

  /** Calls `again` after `wait` milliseconds, for a message that is being handled. It may then have to wait once more. */
  pay(wait: number, again: () => void): void {
    this.#payer = again;
    this.#wait(wait);
  }

  /** Gives up the messages that wait, and tries the one that lacks tokens again at once. */
  giveUp(refuse: (waiting: Waiting) => void): void {
    this.#cancel();
    for (const waiting of this.#kept.splice(0)) refuse(waiting);
    this.#goOn();
  }

  /** Drops the messages that wait, and keeps no more. */
  close(): void {
    this.#cancel();
    this.#kept = [];
    this.#payer = undefined;
    this.#over();
  }

  #wait(milliseconds: number): void {
    const now = this.clock.monotonic();
    if (this.#since === undefined) {
      this.#since = now;
      this.owner.pauseReading();
    }
    this.#cancel();
    const left = this.#since + this.limits.pause - now;
    if (left <= 0) this.owner.throttledOut();
    else this.#cancel = this.clock.schedule(Math.min(milliseconds, left), () => this.#goOn());
  }

  #goOn(): void {
    const again = this.#payer;
    this.#payer = undefined;
    again?.();
    // Each message may end the connection, or need more tokens than there are.
    while (this.#payer === undefined && this.#since !== undefined) {
      const [next] = this.#kept;
      if (next === undefined) {
        this.#over();
        return;
      }
      const wait = this.owner.take(next.data, next.isBinary, next.bytes);
      if (wait > 0) {
        this.#wait(wait);
        return;
      }
      this.#kept.shift();
    }
  }

  #over(): void {
    if (this.#since === undefined) return;
    this.#since = undefined;
    this.owner.resumeReading();
    this.owner.emptied();
  }
}
