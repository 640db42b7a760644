import { isPromise, type MaybePromise, settled } from '../vocabulary/decision.ts';
import type { Clock } from '../vocabulary/ports.ts';

/** After so many failures in a row, the store is not asked any more. */
const TOLERATED = 3;
const RETRY_EVERY = 1_000;
/** Milliseconds. A timer that fires later than this was delayed by a busy event loop. */
const LATE = 20;

export interface BreakerOptions {
  readonly clock: Clock;
  readonly timeout: number;
  readonly probe: () => MaybePromise<void>;
  readonly onOpen: (error: unknown) => void;
  readonly onClose: (milliseconds: number) => void;
}

/** A circuit breaker. A failing store costs a few calls their deadline. Then no call waits until a probe succeeds. */
export class Breaker {
  #failures = 0;
  #openedAt: number | undefined;
  #cancelProbe = (): void => {};
  #stopped = false;
  readonly #waiting = new Set<(error: unknown) => void>();

  constructor(readonly options: BreakerOptions) {}

  get isOpen(): boolean {
    return this.#stopped || this.#openedAt !== undefined;
  }

  /**
   * Calls `otherwise` if the store is not asked, fails or is too slow, and `late` with an answer that comes too late.
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
        // The answer may have been received but not yet read. Give it one more chance.
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
