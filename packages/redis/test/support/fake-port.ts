import { closed } from '../../src/clients/readiness.ts';
import type { ChannelListener, ClientState, RedisPort, Subscription } from '../../src/clients/redis-port.ts';
import type { Deadline } from '../../src/deadline.ts';
import type { Script } from '../../src/script.ts';

interface Sent {
  readonly how: 'evalsha' | 'eval';
  readonly script: Script;
  readonly keys: readonly string[];
  readonly args: readonly string[];
  resolve(reply: unknown): void;
  reject(error: Error): void;
}

/** A client whose connection and answers are the test's. */
export class FakePort implements RedisPort {
  cluster = false;
  state: ClientState = 'ready';
  /** Every command that it was given, in order. */
  readonly sent: Sent[] = [];
  readonly #waiting: { resolve(): void; reject(error: Error): void }[] = [];
  channel: ChannelListener | undefined;
  refreshed = 0;

  whenReady(deadline: Deadline): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      deadline.onExpiry(reject);
    });
  }

  become(state: ClientState): void {
    this.state = state;
    for (const waiter of this.#waiting.splice(0))
      state === 'closed' ? waiter.reject(closed()) : waiter.resolve();
  }

  evalsha(script: Script, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    return this.#send('evalsha', script, keys, args);
  }

  eval(script: Script, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    return this.#send('eval', script, keys, args);
  }

  subscribe(_channel: string, listener: ChannelListener): Subscription {
    this.channel = listener;
    return {
      refresh: () => {
        this.refreshed++;
      },
      close: () => {
        this.channel = undefined;
      },
    };
  }

  #send(
    how: Sent['how'],
    script: Script,
    keys: readonly string[],
    args: readonly string[],
  ): Promise<unknown> {
    return new Promise((resolve, reject) => this.sent.push({ how, script, keys, args, resolve, reject }));
  }
}
