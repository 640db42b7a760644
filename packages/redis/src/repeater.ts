/** A task that is done over and over, one at a time, and sooner again after it has failed. Keeps no process alive. */
export class Repeater {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #active = false;
  #running = false;
  #again = false;

  constructor(
    readonly task: () => Promise<void>,
    /** Milliseconds from one start to the next. */
    readonly interval: number,
    /** Milliseconds after a failure. */
    readonly retry: number,
  ) {}

  get active(): boolean {
    return this.#active;
  }

  /** The first time is one interval from now. */
  start(): void {
    if (this.#active) return;
    this.#active = true;
    this.#schedule(this.interval);
  }

  stop(): void {
    this.#active = false;
    this.#again = false;
    clearTimeout(this.#timer);
  }

  /** Does it at once, or once more after the run that is under way. */
  now(): void {
    if (!this.#active) return;
    if (this.#running) this.#again = true;
    else void this.#run();
  }

  async #run(): Promise<void> {
    clearTimeout(this.#timer);
    this.#running = true;
    this.#again = false;
    const started = performance.now();
    const failed = await this.task().then(
      () => false,
      () => true,
    );
    this.#running = false;
    if (!this.#active) return;
    if (this.#again && !failed) void this.#run();
    else this.#schedule(failed ? this.retry : Math.max(0, started + this.interval - performance.now()));
  }

  #schedule(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#run(), ms);
    this.#timer.unref();
  }
}
