import type { Revocation } from '../vocabulary/store-contract.ts';

interface Waiting {
  readonly revocation: Revocation;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Revocations that wait for the store, in order. At its bound a new one is refused. */
export class Outbox {
  readonly #waiting: Waiting[] = [];
  #sending = false;
  #abandoned = false;
  #cancelRetry = (): void => {};

  constructor(
    readonly limit: number,
    readonly send: (revocation: Revocation) => Promise<void>,
    readonly later: (callback: () => void) => () => void,
  ) {}

  get size(): number {
    return this.#waiting.length;
  }

  /** Resolves once the revocation is stored, however long that takes. */
  put(revocation: Revocation): Promise<void> {
    if (this.#abandoned) return Promise.reject(tooLate());
    if (this.#waiting.length >= this.limit) {
      return Promise.reject(new RangeError(`More than ${this.limit} revocations wait for the store.`));
    }
    const stored = new Promise<void>((resolve, reject) => {
      this.#waiting.push({ revocation, resolve, reject });
    });
    void this.flush();
    return stored;
  }

  async flush(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    this.#cancelRetry();
    try {
      for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
        await this.send(first.revocation);
        first.resolve();
        // `abandon` may have emptied the list meanwhile.
        if (this.#waiting[0] === first) this.#waiting.shift();
      }
    } catch {
      if (!this.#abandoned) this.#cancelRetry = this.later(() => void this.flush());
    } finally {
      this.#sending = false;
    }
  }

  /** Rejects all waiting revocations and takes no more. */
  abandon(): void {
    this.#abandoned = true;
    this.#cancelRetry();
    for (const { reject } of this.#waiting.splice(0)) reject(tooLate());
  }
}

function tooLate(): Error {
  return new Error('The guard was closed before the store had this revocation.');
}
