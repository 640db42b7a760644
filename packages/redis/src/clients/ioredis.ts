import type { Deadline } from '../deadline.ts';
import type { Script } from '../script.ts';
import type { ChannelListener, ClientState, RedisPort, Subscription } from './port.ts';
import { type Emitter, Readiness } from './readiness.ts';

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

/** ioredis: a single Redis, one behind Sentinel, or a Cluster. */
export class IoRedisPort implements RedisPort {
  readonly cluster: boolean;
  readonly #readiness: Readiness;

  constructor(readonly client: IoRedisClient) {
    this.cluster = client.isCluster;
    this.#readiness = new Readiness(client, 'ready', 'end');
    // Each command tells of its own failure; an error event that nobody listens for ends a process.
    client.on('error', ignore);
  }

  get state(): ClientState {
    const { status } = this.client;
    // Made with `lazyConnect`: a command would start it too, but would wait in the client's queue.
    if (status === 'wait') this.client.connect().catch(ignore);
    if (status === 'ready') return 'ready';
    return status === 'end' ? 'closed' : 'offline';
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
        // Its retryStrategy may have given up, and a Cluster forgets channels when the subscribed node goes away.
        if (connection.status === 'end') connection = this.#listen(channel, listener);
        else if (connection.status === 'ready') connection.subscribe(channel).catch(ignore);
      },
      close: () => connection.disconnect(),
    };
  }

  #listen(channel: string, listener: ChannelListener): IoRedisClient {
    const connection = this.client.duplicate();
    connection.on('error', ignore);
    connection.on('message', (from: string, text: string) => {
      if (from === channel) listener.message(text);
    });
    // Once more on every reconnect: the client's own resubscription does not say when it is through.
    connection.on('ready', () => connection.subscribe(channel).then(() => listener.subscribed(), ignore));
    if (connection.status === 'wait') connection.connect().catch(ignore);
    return connection;
  }
}
