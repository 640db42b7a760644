import { type RedisClient, redisStore } from '@sallyport/redis';
import { Redis } from 'ioredis';
import { RedisServer, startCluster, startSentinel } from '../../support/redis.ts';
import { type NodeOptions, type Realm, type StoreKind, StoreNode, type World } from './store.ts';

/** A connected client, and how to end it. */
export interface Connected {
  readonly client: RedisClient;
  disconnect(): void;
}

/** How one library connects to one kind of Redis, given the servers. */
export type Connect = (servers: readonly RedisServer[]) => Promise<Connected>;

/** In milliseconds. Long, since the machine may be busy and these tests do not measure speed. */
const TIMEOUT = 20_000;
/** Milliseconds after which a sentinel declares a master down: longer than any test takes. */
const NEVER = 600_000;

class RedisRealm implements Realm {
  readonly #nodes: StoreNode[] = [];

  constructor(
    readonly servers: readonly RedisServer[],
    /** The servers that hold data; sentinels do not. */
    readonly masters: readonly RedisServer[],
    readonly connect: Connect,
    readonly prefix: string,
  ) {}

  async node({ leaseTtl }: NodeOptions = {}): Promise<StoreNode> {
    const { client, disconnect } = await this.connect(this.servers);
    const options = {
      prefix: this.prefix,
      timeout: TIMEOUT,
      ...(leaseTtl === undefined ? {} : { leaseTtl }),
    };
    const node = new StoreNode(redisStore(client, options), disconnect);
    this.#nodes.push(node);
    return node;
  }

  async pass(ms: number): Promise<void> {
    const end = performance.now() + ms;
    while (performance.now() <= end)
      await new Promise((resolve) => setTimeout(resolve, end - performance.now()));
  }

  async disconnect(): Promise<void> {
    for (const server of this.masters) {
      for (const type of ['pubsub', 'normal']) await server.command('CLIENT', 'KILL', 'TYPE', type);
    }
  }

  async forget(): Promise<void> {
    await Promise.all(this.masters.map((server) => server.command('FLUSHALL')));
  }

  async keys(): Promise<ReadonlyMap<string, number>> {
    const keys = new Map<string, number>();
    for (const { port } of this.masters) {
      const client = new Redis(port);
      for (const key of await client.keys(`${this.prefix}:*`)) keys.set(key, await client.pttl(key));
      client.disconnect();
    }
    return keys;
  }

  async close(): Promise<void> {
    for (const node of this.#nodes) node.close();
  }
}

/** One Redis, three as a Cluster, or one with a replica behind a sentinel. */
export type Topology = 'single' | 'cluster' | 'sentinel';

export function redisKind(name: string, topology: Topology, connect: Connect): StoreKind {
  return {
    name,
    capabilities: { shared: true },
    async start(program) {
      const { servers, masters, all } = await launch(program, topology);
      let realms = 0;
      const world: World = {
        realm: () => new RedisRealm(servers, masters, connect, `test${realms++}`),
        close: async () => {
          await Promise.all(all.map((server) => server.close()));
        },
      };
      return world;
    },
  };
}

async function launch(program: string, topology: Topology) {
  if (topology === 'cluster') {
    const servers = await startCluster(program);
    return { servers, masters: servers, all: servers };
  }
  if (topology === 'sentinel') {
    const { master, replica, sentinel } = await startSentinel(program, NEVER);
    return { servers: [sentinel], masters: [master], all: [sentinel, replica, master] };
  }
  const servers = [await RedisServer.start(program)];
  return { servers, masters: servers, all: servers };
}
