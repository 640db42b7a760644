import type { Clock } from '@sallyport/core';

interface Timer {
  readonly due: number;
  readonly callback: () => void;
}

/** Time that moves only when a test says so. `now` begins at 2030-01-01, `monotonic` at one second. */
export class ManualClock implements Clock {
  #elapsed = 1_000;
  #jumped = 0;
  readonly #timers = new Set<Timer>();

  constructor(readonly start: number = Date.UTC(2030, 0, 1)) {}

  now(): number {
    return this.start + this.#jumped + this.#elapsed - 1_000;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  schedule(ms: number, callback: () => void): () => void {
    const timer = { due: this.#elapsed + ms, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Sets the wall clock forwards or backwards, as an administrator or a time server does; no time passes. */
  jump(ms: number): void {
    this.#jumped += ms;
  }

  /** How many callbacks are still to come. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Lets time pass, calling back in the order in which timers are due, each at its own time. */
  advance(ms: number): void {
    const end = this.#elapsed + ms;
    for (let next = this.#earliest(end); next !== undefined; next = this.#earliest(end)) {
      this.#timers.delete(next);
      this.#elapsed = Math.max(this.#elapsed, next.due);
      next.callback();
    }
    this.#elapsed = end;
  }

  /** Lets time pass in which this process did not get to run: what has come due is called afterwards, all of it late. */
  stall(ms: number): void {
    this.#elapsed += ms;
    this.advance(0);
  }

  #earliest(end: number): Timer | undefined {
    let earliest: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.due <= end && (earliest === undefined || timer.due < earliest.due)) earliest = timer;
    }
    return earliest;
  }
}
