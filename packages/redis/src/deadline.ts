import { RedisStoreError } from './redis-store-error.ts';

/** When an operation must be settled, whatever Redis, the network and the client do. */
export class Deadline {
  readonly #at: number;

  constructor(readonly timeout: number) {
    this.#at = performance.now() + timeout;
  }

  get left(): number {
    return Math.max(0, this.#at - performance.now());
  }

  get passed(): boolean {
    return this.left === 0;
  }

  /** Calls back once at the deadline. The returned function cancels it. Keeps no process alive. */
  onExpiry(callback: (error: RedisStoreError) => void): () => void {
    const expire = (): void =>
      callback(new RedisStoreError('timeout', `Redis did not answer within ${this.timeout} ms.`));
    // After a blocked event loop, an answer that was received in time is read before the immediate.
    const timer = setTimeout(() => setImmediate(expire), this.left);
    timer.unref();
    return () => clearTimeout(timer);
  }

  /** Settles like the work, or rejects at the deadline. A later result goes to `late`. */
  bound<T>(work: Promise<T>, late?: (value: T) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      let over = false;
      const cancel = this.onExpiry((error) => {
        over = true;
        reject(error);
      });
      work.then(
        (value) => {
          cancel();
          if (over) late?.(value);
          else resolve(value);
        },
        (error: unknown) => {
          cancel();
          reject(error);
        },
      );
    });
  }
}
