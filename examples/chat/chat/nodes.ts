import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { Duration } from '@sallyport/core';
import type { Store } from '@sallyport/core/store';
import { redisStore } from '@sallyport/redis';
import { Redis } from 'ioredis';
import { checkRemoteMessage, type RemoteMessage } from './remote-message.ts';

/** The prefix of all Redis keys and channels of the chat. */
const PREFIX = 'sallyport-chat';
const KEY = `${PREFIX}:key`;
const CHANNEL = `${PREFIX}:said`;
const KEY_BYTES = 32;
/** Milliseconds that the key stays in Redis after the last node has ended: longer than a session. */
const KEY_MS = 24 * 60 * 60 * 1_000;
/** Milliseconds between two checks whether Redis still has the key. */
const KEY_CHECK_INTERVAL = 5_000;
/** How many messages may wait for Redis. Further messages are not sent to other nodes. */
const MAX_WAITING = 1_000;

/** Thrown when the demo cannot start for want of Redis. The message says what to do. */
export class NoRedisError extends Error {}

/** What nodes share through one Redis: the guard's store, the key that signs sessions and tokens, and the messages. */
export class Nodes {
  readonly store: Store;
  readonly #id = randomUUID();
  readonly #client: Redis;
  readonly #subscriber: Redis;
  readonly #keyTimer: ReturnType<typeof setInterval>;
  #unsubscribe = ignore;
  #checkingKey = false;
  #waiting = 0;

  private constructor(
    client: Redis,
    readonly key: Uint8Array,
    leaseTtl: Duration | undefined,
    /** Called when another node signs with another key. */
    readonly onOtherKey: () => void,
  ) {
    this.#client = client;
    const lease = leaseTtl === undefined ? {} : { leaseTtl };
    this.store = redisStore(client, { prefix: `${PREFIX}:guard`, revocationRetention: '1d', ...lease });
    this.#subscriber = client.duplicate();
    this.#subscriber.on('error', ignore);
    this.#keyTimer = setInterval(() => void this.#keepKey(), KEY_CHECK_INTERVAL);
    client.on('ready', () => void this.#keepKey());
  }

  /** @throws NoRedisError if Redis cannot be reached: a node that should share must not start alone. */
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

  /** Calls back with each message of another node that this node would have accepted, too. */
  listen(onMessage: (message: RemoteMessage) => void): void {
    this.#subscriber.on('message', (_channel, text) => {
      const message = this.#parse(text);
      if (message !== undefined) onMessage(message);
    });
    // After every reconnect, because a subscription ends with its connection.
    this.#subscriber.on('ready', () => void this.#subscriber.subscribe(CHANNEL).catch(ignore));
    this.#subscriber.connect().catch(ignore);
  }

  /** Calls back with every session that any node has revoked, also before this node started. */
  onEnded(ended: (session: string) => void): void {
    this.#unsubscribe = this.store.subscribe({
      revoked: ({ session }) => session !== undefined && ended(session),
      banned: ignore,
      unbanned: ignore,
      known: () => [],
    });
  }

  /** Resolves when this node knows every revocation. Until then the guard refuses all handshakes. */
  async ready(): Promise<void> {
    const deadline = performance.now() + 10_000;
    while (this.store.staleness() === Number.POSITIVE_INFINITY) {
      if (performance.now() > deadline) throw new NoRedisError('Redis does not tell what was revoked.');
      // One late answer is no reason to give up.
      await Promise.resolve(this.store.ping()).catch(() => setTimeout(100));
    }
  }

  /** Sends a message to the other nodes, without waiting. While Redis is away the message is not sent. */
  publish(said: RemoteMessage): void {
    if (this.#client.status !== 'ready' || this.#waiting >= MAX_WAITING) return;
    this.#waiting++;
    this.#client
      .publish(CHANNEL, JSON.stringify({ node: this.#id, said }))
      .catch(ignore)
      .finally(() => {
        this.#waiting--;
      });
  }

  close(): void {
    clearInterval(this.#keyTimer);
    this.#unsubscribe();
    this.#subscriber.disconnect();
    this.#client.disconnect();
  }

  /** Writes the key again if Redis has lost it, so that nodes that start later use the same key. */
  async #keepKey(): Promise<void> {
    if (this.#checkingKey || this.#client.status !== 'ready') return;
    this.#checkingKey = true;
    try {
      const key = Buffer.from(this.key).toString('base64url');
      await this.#client.set(KEY, key, 'PX', KEY_MS, 'NX');
      await this.#client.pexpire(KEY, KEY_MS);
      if ((await this.#client.get(KEY)) !== key) this.onOtherKey();
    } catch {
      // Redis is away. The key is written when Redis is back.
    } finally {
      this.#checkingKey = false;
    }
  }

  #parse(text: string): RemoteMessage | undefined {
    try {
      const { node, said } = JSON.parse(text) as { node?: unknown; said?: unknown };
      return node === this.#id ? undefined : checkRemoteMessage(said);
    } catch {
      return undefined;
    }
  }
}

function explain(url: string, problem: Error): string {
  // Without the password that the URL may contain.
  const { protocol, host } = new URL(url);
  const what = (problem as { code?: string }).code ?? problem.message;
  return `There is no Redis at ${protocol}//${host} (${what}). Start one, or leave out --redis.`;
}

function ignore(): void {}
