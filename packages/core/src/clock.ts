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
