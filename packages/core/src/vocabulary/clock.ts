import type { Clock } from './ports.ts';

/** `setTimeout` fires at once for a longer delay. */
const MAX_DELAY = 2 ** 31 - 1;

/** The machine's time. Also keeps delays beyond 24.8 days. */
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

/** Timers for answers that may never come. They end with the guard and keep no process alive. */
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

  close(): void {
    this.#isClosed = true;
    for (const cancel of [...this.#running]) cancel();
  }
}
