import type { Deadline } from '../deadline.ts';
import { RedisStoreError } from '../redis-store-error.ts';

// biome-ignore lint/suspicious/noExplicitAny: the arguments of listeners differ between events
type Listener = (...args: any[]) => void;

/** The part of an event emitter that the store uses. */
export interface Emitter {
  on(event: string, listener: Listener): unknown;
  off(event: string, listener: Listener): unknown;
}

interface Waiter {
  resolve(): void;
  reject(error: Error): void;
}

export class Readiness {
  readonly #waiters = new Set<Waiter>();
  readonly #ready = (): void => this.#settle((waiter) => waiter.resolve());
  readonly #ended = (): void => this.#settle((waiter) => waiter.reject(closed()));

  constructor(
    readonly client: Emitter,
    readonly readyEvent: string,
    readonly endEvent: string,
  ) {}

  wait(deadline: Deadline): Promise<void> {
    if (this.#waiters.size === 0) {
      this.client.on(this.readyEvent, this.#ready);
      this.client.on(this.endEvent, this.#ended);
    }
    return new Promise((resolve, reject) => {
      const cancel = deadline.onExpiry((error) => {
        this.#waiters.delete(waiter);
        if (this.#waiters.size === 0) this.#stopListening();
        reject(error);
      });
      const waiter: Waiter = {
        resolve: () => {
          cancel();
          resolve();
        },
        reject: (error) => {
          cancel();
          reject(error);
        },
      };
      this.#waiters.add(waiter);
    });
  }

  #settle(answer: (waiter: Waiter) => void): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    this.#stopListening();
    for (const waiter of waiters) answer(waiter);
  }

  #stopListening(): void {
    this.client.off(this.readyEvent, this.#ready);
    this.client.off(this.endEvent, this.#ended);
  }
}

export function closed(): RedisStoreError {
  return new RedisStoreError('closed', 'The Redis client is closed, or was never connected.');
}
