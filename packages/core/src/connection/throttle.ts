import type { Clock } from '../vocabulary/ports.ts';

export interface ThrottleLimits {
  /** Milliseconds that a socket may go unread without a break. */
  readonly pause: number;
  /** How many messages may be kept: as many as could come within the pause. */
  readonly messages: number;
}

/** Whose messages they are. */
export interface ThrottleOwner {
  /** Takes a message: 0, or the milliseconds until it may come. */
  take(data: Uint8Array | string, isBinary: boolean, bytes: number): number;
  /** The socket is not read. */
  pauseReading(): void;
  resumeReading(): void;
  /** It took too long, or there was too much of it. */
  throttledOut(): void;
}

interface Kept {
  readonly data: Uint8Array | string;
  readonly isBinary: boolean;
  readonly bytes: number;
}

/**
 * Keeps messages that have come too fast until their time has come, in order. The socket is not read meanwhile, so that TCP
 * pushes back and nothing is lost; what is kept is what was in the chunk that was being read. One timer while it waits.
 */
export class Throttle {
  #kept: Kept[] = [];
  /** A message that is being handled, and could not pay yet what its type costs: nothing may overtake it. */
  #payer: (() => void) | undefined;
  /** Since when the socket has not been read; `undefined` where nothing waits. */
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

  /** Whether a message that was on its way to its handler waits for what it costs. */
  get isPaying(): boolean {
    return this.#payer !== undefined;
  }

  /** Keeps a message that may come in so many milliseconds, or behind those that are kept already. */
  keep(data: Uint8Array | string, isBinary: boolean, bytes: number, wait: number): void {
    if (this.#kept.length >= this.limits.messages) {
      this.owner.throttledOut();
      return;
    }
    this.#kept.push({ data, isBinary, bytes });
    if (!this.isWaiting) this.#wait(wait);
  }

  /** Has a message that is being handled tried again in so many milliseconds. `again` may have to wait once more. */
  pay(wait: number, again: () => void): void {
    this.#payer = again;
    this.#wait(wait);
  }

  /** Keeps nothing more. */
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
    // Whatever is taken may end the connection, or have to pay more than there is.
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
  }
}
