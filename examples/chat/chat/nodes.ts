import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { Duration } from '@sallyport/core';
import type { Store } from '@sallyport/core/store';
import { redisStore } from '@sallyport/redis';
import { Redis } from 'ioredis';
import { type SaidElsewhere, saidElsewhere } from './elsewhere.ts';

/** How everything begins that the chat keeps in Redis. */
const PREFIX = 'sallyport-chat';
const KEY = `${PREFIX}:key`;
const CHANNEL = `${PREFIX}:said`;
const KEY_BYTES = 32;
/** How long the key outlives the last node: longer than a session. */
const KEY_MS = 24 * 60 * 60 * 1_000;
/** Milliseconds between two looks whether Redis still has it. */
const LOOK = 5_000;
/** How many messages may wait for Redis. Beyond, other nodes do not hear of one. */
const WAITING = 1_000;

/** Where the demo cannot begin without somebody who mends it; the message says what to do. */
export class NoRedisError extends Error {}

/** What the nodes of one Redis have in common: the guard's store, the key that signs sessions and tokens, and what is said. */
export class Nodes {
  readonly store: Store;
  readonly #id = randomUUID();
  readonly #client: Redis;
  readonly #ear: Redis;
  readonly #looks: ReturnType<typeof setInterval>;
  #unsubscribe = ignore;
  #looking = false;
  #waiting = 0;

  private constructor(
    client: Redis,
    readonly key: Uint8Array,
    leaseTtl: Duration | undefined,
    /** Told once, when another node has another key. */
    readonly onOtherKey: () => void,
  ) {
    this.#client = client;
    const lease = leaseTtl === undefined ? {} : { leaseTtl };
    this.store = redisStore(client, { prefix: `${PREFIX}:guard`, revocationRetention: '1d', ...lease });
    this.#ear = client.duplicate();
    this.#ear.on('error', ignore);
    this.#looks = setInterval(() => void this.#keepKey(), LOOK);
    client.on('ready', () => void this.#keepKey());
  }

  /** @throws NoRedisError where there is none: who names one does not want to be alone. */
  static async join(
    url: string,
    { leaseTtl, onOtherKey }: { leaseTtl: Duration | undefined; onOtherKey: () => void },
  ): Promise<Nodes> {
    const client = new Redis(url, {
      lazyConnect: true,
      enableOfflineQueue: false,
      connectTimeout: 5_000,
      disconnectTimeout: 200,
    });
    let problem: Error | undefined;
    client.on('error', (error) => {
      problem = error;
    });
    try {
      await client.connect();
      await client.set(KEY, randomBytes(KEY_BYTES).toString('base64url'), 'PX', KEY_MS, 'NX');
      const key = Buffer.from((await client.get(KEY)) ?? '', 'base64url');
      if (key.length !== KEY_BYTES) throw new Error(`${KEY} holds something else`);
      return new Nodes(client, key, leaseTtl, onOtherKey);
    } catch (error) {
      client.disconnect();
      throw new NoRedisError(explain(url, problem ?? (error as Error)));
    }
  }

  /** Calls back with each message that was said on another node; only what could have been said here. */
  listen(heard: (message: SaidElsewhere) => void): void {
    this.#ear.on('message', (_channel, text) => {
      const message = this.#parse(text);
      if (message !== undefined) heard(message);
    });
    // Again after every reconnect: a subscription is the connection's.
    this.#ear.on('ready', () => void this.#ear.subscribe(CHANNEL).catch(ignore));
    this.#ear.connect().catch(ignore);
  }

  /** Calls back with every session that was revoked, on whichever node, also before this one began. */
  onEnded(ended: (session: string) => void): void {
    this.#unsubscribe = this.store.subscribe({
      revoked: ({ session }) => session !== undefined && ended(session),
      banned: ignore,
      unbanned: ignore,
      known: () => [],
    });
  }

  /** Resolves once this node has heard of every revocation: before that, the guard lets nobody in. */
  async ready(): Promise<void> {
    const deadline = performance.now() + 10_000;
    while (this.store.staleness() === Number.POSITIVE_INFINITY) {
      if (performance.now() > deadline) throw new NoRedisError('Redis does not tell what was revoked.');
      // One answer that is late is no reason to give up.
      await Promise.resolve(this.store.ping()).catch(() => setTimeout(100));
    }
  }

  /** Tells the other nodes. Nobody waits for it, and while Redis is away it is not told at all. */
  say(said: SaidElsewhere): void {
    if (this.#client.status !== 'ready' || this.#waiting >= WAITING) return;
    this.#waiting++;
    this.#client
      .publish(CHANNEL, JSON.stringify({ node: this.#id, said }))
      .catch(ignore)
      .finally(() => {
        this.#waiting--;
      });
  }

  close(): void {
    clearInterval(this.#looks);
    this.#unsubscribe();
    this.#ear.disconnect();
    this.#client.disconnect();
  }

  /** A Redis that was emptied is told the key again, so that nodes that begin later have the same. */
  async #keepKey(): Promise<void> {
    if (this.#looking || this.#client.status !== 'ready') return;
    this.#looking = true;
    try {
      const key = Buffer.from(this.key).toString('base64url');
      await this.#client.set(KEY, key, 'PX', KEY_MS, 'NX');
      await this.#client.pexpire(KEY, KEY_MS);
      if ((await this.#client.get(KEY)) !== key) this.onOtherKey();
    } catch {
      // It is away again, and is told when it is back.
    } finally {
      this.#looking = false;
    }
  }

  #parse(text: string): SaidElsewhere | undefined {
    try {
      const { node, said } = JSON.parse(text) as { node?: unknown; said?: unknown };
      return node === this.#id ? undefined : saidElsewhere(said);
    } catch {
      return undefined;
    }
  }
}

function explain(url: string, problem: Error): string {
  // Without the password that it may hold.
  const { protocol, host } = new URL(url);
  const what = (problem as { code?: string }).code ?? problem.message;
  return `There is no Redis to be had at ${protocol}//${host} (${what}). Start one, or leave out --redis.`;
}

function ignore(): void {}
