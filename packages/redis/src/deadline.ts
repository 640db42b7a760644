import { RedisStoreError } from './redis-store-error.ts';

/** The time until which an operation has to be settled, whatever Redis, the network and the client do. */
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

  /** Calls back once when it has passed, unless the returned function is called before. Keeps no process alive. */
  onExpiry(callback: (error: RedisStoreError) => void): () => void {
    const expire = (): void =>
      callback(new RedisStoreError('timeout', `Redis did not answer within ${this.timeout} ms.`));
    // After a stall of the event loop the answer may be there, unread: what has arrived is read before an immediate.
    const timer = setTimeout(() => setImmediate(expire), this.left);
    timer.unref();
    return () => clearTimeout(timer);
  }

  /** Settles as the work does, or rejects at the deadline. What the work brings after that goes to `late`. */
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
