import type { Deadline } from '../deadline.ts';
import type { Script } from '../script.ts';
import { type Emitter, Readiness } from './readiness.ts';
import type { ChannelListener, ClientState, RedisPort, Subscription } from './redis-port.ts';

/** The part of a node-redis client, cluster or sentinel (`redis` 5 or newer) that the store uses. */
export interface NodeRedisClient extends Emitter {
  readonly isOpen: boolean;
  /** Absent on a cluster before version 6. */
  readonly isReady?: boolean;
  connect(): Promise<unknown>;
  destroy(): unknown;
  duplicate(): NodeRedisClient;
  evalSha(sha: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
  eval(source: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
  subscribe(channel: string, listener: (text: string | Buffer) => void): Promise<unknown>;
  unsubscribe(channel: string, listener: (text: string | Buffer) => void): Promise<unknown>;
}

type Topology = 'single' | 'cluster' | 'sentinel';

/** Events after which a subscription may have moved to another connection. */
const MOVES: Readonly<Record<Topology, readonly string[]>> = {
  single: ['ready'],
  cluster: ['connect', 'node-ready'],
  sentinel: ['ready', 'topology-change'],
};
const ignore = (): void => {};

/** A node-redis client: `createClient`, `createCluster` or `createSentinel`. */
export class NodeRedisPort implements RedisPort {
  readonly cluster: boolean;
  readonly #topology: Topology;
  readonly #readiness: Readiness;

  constructor(readonly client: NodeRedisClient) {
    this.#topology =
      'nodeByAddress' in client ? 'cluster' : 'getSentinelNode' in client ? 'sentinel' : 'single';
    this.cluster = this.#topology === 'cluster';
    this.#readiness = this.cluster
      ? new Readiness(client, 'connect', 'disconnect')
      : new Readiness(client, 'ready', 'end');
    // Each command reports its own failure. An error event without a listener would end the process.
    client.on('error', ignore);
  }

  get state(): ClientState {
    if (!this.client.isOpen) return 'closed';
    return this.client.isReady === false ? 'offline' : 'ready';
  }

  whenReady(deadline: Deadline): Promise<void> {
    return this.#readiness.wait(deadline);
  }

  evalsha({ sha }: Script, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    return this.client.evalSha(sha, { keys: [...keys], arguments: [...args] });
  }

  eval({ source }: Script, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    return this.client.eval(source, { keys: [...keys], arguments: [...args] });
  }

  /**
   * A single client cannot listen beside its commands. A cluster and a sentinel open a connection for it themselves.
   */
  subscribe(channel: string, listener: ChannelListener): Subscription {
    const own = this.#topology === 'single';
    const connection = own ? this.client.duplicate() : this.client;
    const message = (text: string | Buffer): void => listener.message(String(text));
    const subscribe = async (): Promise<void> => {
      if (own && !connection.isOpen) await connection.connect();
      // Subscribing again changes nothing if the channel is subscribed.
      await connection.subscribe(channel, message);
    };
    const moved = (): void => listener.subscribed();
    if (own) connection.on('error', ignore);
    for (const event of MOVES[this.#topology]) connection.on(event, moved);
    subscribe().then(moved, ignore);
    return {
      refresh: () => void subscribe().catch(ignore),
      close: () => {
        for (const event of MOVES[this.#topology]) connection.off(event, moved);
        if (own) destroy(connection);
        else connection.unsubscribe(channel, message).catch(ignore);
      },
    };
  }
}

/** Throws for a client that is already closed, which is harmless. */
function destroy(client: NodeRedisClient): void {
  try {
    client.destroy();
  } catch {}
}
