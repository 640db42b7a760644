import type { Clock } from './ports.ts';

/** The longest delay that `setTimeout` keeps; a longer one would fire at once. */
const MAX_DELAY = 2 ** 31 - 1;

/** The machine's own time. Delays beyond 24.8 days are kept, too. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  schedule(ms, callback) {
    const due = performance.now() + ms;
    let timer: ReturnType<typeof setTimeout>;
    const arm = (): void => {
      const left = due - performance.now();
      timer = left > MAX_DELAY ? setTimeout(arm, MAX_DELAY) : setTimeout(callback, Math.max(0, left));
    };
    arm();
    return () => clearTimeout(timer);
  },
};

/** Timers on somebody who may never answer, such as the application: they end with the guard, and keep no process alive. */
export class Timers {
  readonly #running = new Set<() => void>();
  #isClosed = false;

  constructor(readonly clock: Clock) {}

  schedule(ms: number, callback: () => void): () => void {
    if (this.#isClosed) return () => {};
    const stop = this.clock.schedule(ms, () => {
      this.#running.delete(cancel);
      callback();
    });
    const cancel = (): void => {
      this.#running.delete(cancel);
      stop();
    };
    this.#running.add(cancel);
    return cancel;
  }

  /** Calls nobody back any more. */
  close(): void {
    this.#isClosed = true;
    for (const cancel of [...this.#running]) cancel();
  }
}
