import { isPromise, type MaybePromise, settled } from '../vocabulary/decision.ts';
import type { Clock } from '../vocabulary/ports.ts';

/** So many failures in a row, and the store is not asked any more. */
const TOLERATED = 3;
/** Milliseconds between two looks whether it is back. */
const RETRY_EVERY = 1_000;
/** Milliseconds by which a deadline is noticed too late, and within which what has arrived meanwhile is read. */
const LATE = 20;

export interface BreakerOptions {
  readonly clock: Clock;
  /** Milliseconds that one call may take. */
  readonly timeout: number;
  /** Asks whether the store is back; never for longer than `timeout`. */
  readonly probe: () => MaybePromise<void>;
  /** The store is not asked any more. */
  readonly onOpen: (error: unknown) => void;
  /** It is asked again, after so many milliseconds. */
  readonly onClose: (milliseconds: number) => void;
}

/**
 * A circuit breaker with a deadline on every call: a store that fails or hangs costs a few handshakes their deadline, and
 * then nobody anything, until a look from time to time finds it back. Nobody else is sent ahead to try.
 */
export class Breaker {
  #failures = 0;
  /** Monotonic milliseconds since it is open. */
  #openedAt: number | undefined;
  #cancelProbe = (): void => {};
  #stopped = false;
  /** How to give up each call that has no answer yet. */
  readonly #waiting = new Set<(error: unknown) => void>();

  constructor(readonly options: BreakerOptions) {}

  /** Whether the store is not asked. */
  get isOpen(): boolean {
    return this.#stopped || this.#openedAt !== undefined;
  }

  /**
   * What the store answers, or what `otherwise` says where it is not asked, fails, or is too late. `late` gets an answer
   * that came too late, to undo what nobody knows of.
   */
  call<T>(
    ask: () => MaybePromise<T>,
    otherwise: () => T,
    late: (answer: T) => void = ignore,
  ): MaybePromise<T> {
    if (this.isOpen) return otherwise();
    let answer: MaybePromise<T>;
    try {
      answer = ask();
    } catch (error) {
      this.#failed(error);
      return otherwise();
    }
    if (!isPromise(answer)) {
      this.#failures = 0;
      return answer;
    }
    return this.#inTime(answer, late).then(
      (inTime) => {
        this.#failures = 0;
        return inTime;
      },
      (error) => {
        this.#failed(error);
        return otherwise();
      },
    );
  }

  /** Asks nothing more, not even whether it is back, and waits for no answer. */
  stop(): void {
    this.#stopped = true;
    this.#cancelProbe();
    this.#giveUp(new Error('The guard was closed.'));
  }

  #inTime<T>(answer: Promise<T>, late: (answer: T) => void): Promise<T> {
    const { clock, timeout } = this.options;
    return new Promise((resolve, reject) => {
      const finish = (): boolean => {
        cancel();
        return this.#waiting.delete(giveUp);
      };
      const giveUp = (error: unknown): void => {
        if (finish()) reject(error);
      };
      const expire = (): void => giveUp(new Error(`The store did not answer within ${timeout} ms.`));
      const due = clock.monotonic() + timeout;
      let cancel = clock.schedule(timeout, () => {
        // After a stall of this process the answer may be there, unread, and that is not the store's failure.
        if (clock.monotonic() - due > LATE) cancel = clock.schedule(LATE, expire);
        else expire();
      });
      this.#waiting.add(giveUp);
      settled(answer).then((value) => (finish() ? resolve(value) : late(value)), giveUp);
    });
  }

  #giveUp(error: unknown): void {
    for (const giveUp of [...this.#waiting]) giveUp(error);
  }

  #failed(error: unknown): void {
    this.#failures++;
    if (this.#failures < TOLERATED || this.isOpen) return;
    this.#openedAt = this.options.clock.monotonic();
    // Whoever waits has waited for the same store.
    this.#giveUp(error);
    this.options.onOpen(error);
    this.#probeLater();
  }

  #probeLater(): void {
    if (this.#stopped) return;
    this.#cancelProbe = this.options.clock.schedule(RETRY_EVERY, () => void this.#probe());
  }

  async #probe(): Promise<void> {
    try {
      const answer = this.options.probe();
      if (isPromise(answer)) await this.#inTime(answer, ignore);
    } catch {
      this.#probeLater();
      return;
    }
    const openedAt = this.#openedAt as number;
    this.#openedAt = undefined;
    this.#failures = 0;
    this.options.onClose(this.options.clock.monotonic() - openedAt);
  }
}

function ignore(): void {}
