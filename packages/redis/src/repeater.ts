/** Repeats a task, one run at a time, and sooner after a failure. Keeps no process alive. */
export class Repeater {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #active = false;
  #running = false;
  #again = false;

  constructor(
    readonly task: () => Promise<void>,
    readonly interval: number,
    readonly retry: number,
  ) {}

  get active(): boolean {
    return this.#active;
  }

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

  /** Runs the task at once, or again after the run in progress. */
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
