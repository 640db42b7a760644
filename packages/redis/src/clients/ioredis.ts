import type { Deadline } from '../deadline.ts';
import type { Script } from '../script.ts';
import { type Emitter, Readiness } from './readiness.ts';
import type { ChannelListener, ClientState, RedisPort, Subscription } from './redis-port.ts';

/** The part of an ioredis `Redis` or `Cluster` that the store uses. */
export interface IoRedisClient extends Emitter {
  readonly status: string;
  readonly isCluster: boolean;
  connect(): Promise<unknown>;
  disconnect(): void;
  duplicate(): IoRedisClient;
  evalsha(sha: string, keyCount: number, ...args: string[]): Promise<unknown>;
  eval(source: string, keyCount: number, ...args: string[]): Promise<unknown>;
  subscribe(channel: string): Promise<unknown>;
}

const ignore = (): void => {};

/** An ioredis client: a single Redis, one behind Sentinel, or a Cluster. */
export class IoRedisPort implements RedisPort {
  readonly cluster: boolean;
  readonly #readiness: Readiness;
  readonly #hasEnded: () => boolean;

  constructor(readonly client: IoRedisClient) {
    this.cluster = client.isCluster;
    this.#hasEnded = watchEnd(client);
    this.#readiness = new Readiness(client, 'ready', 'end');
    // Each command reports its own failure. An error event without a listener would end the process.
    client.on('error', ignore);
  }

  get state(): ClientState {
    const { status } = this.client;
    // Made with `lazyConnect`. A command would connect it too, but would wait in the client's queue.
    if (status === 'wait') this.client.connect().catch(ignore);
    if (status === 'ready') return 'ready';
    return this.#hasEnded() ? 'closed' : 'offline';
  }

  whenReady(deadline: Deadline): Promise<void> {
    return this.#readiness.wait(deadline);
  }

  evalsha({ sha }: Script, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    return this.client.evalsha(sha, keys.length, ...keys, ...args);
  }

  eval({ source }: Script, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    return this.client.eval(source, keys.length, ...keys, ...args);
  }

  subscribe(channel: string, listener: ChannelListener): Subscription {
    let connection = this.#listen(channel, listener);
    return {
      refresh: () => {
        // Its retryStrategy may have given up, and a Cluster loses channels when the subscribed node goes away.
        if (connection.hasEnded()) connection = this.#listen(channel, listener);
        else if (connection.client.status === 'ready') connection.client.subscribe(channel).catch(ignore);
      },
      close: () => {
        // Disconnecting an ended client would set a timer.
        if (!connection.hasEnded()) connection.client.disconnect();
      },
    };
  }

  #listen(channel: string, listener: ChannelListener): { client: IoRedisClient; hasEnded: () => boolean } {
    const client = this.client.duplicate();
    client.on('error', ignore);
    client.on('message', (from: string, text: string) => {
      if (from === channel) listener.message(text);
    });
    // On every reconnect, because the client's own resubscription does not report when it is done.
    client.on('ready', () => client.subscribe(channel).then(() => listener.subscribed(), ignore));
    if (client.status === 'wait') client.connect().catch(ignore);
    return { client, hasEnded: watchEnd(client) };
  }
}

/** Remembers the end of a client: the status of a Cluster goes from `end` back to `close`. */
function watchEnd(client: IoRedisClient): () => boolean {
  let ended = client.status === 'end';
  client.on('end', () => {
    ended = true;
  });
  client.on('connecting', () => {
    ended = false;
  });
  return () => ended;
}
