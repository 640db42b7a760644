import { createClient, createCluster, createSentinel } from 'redis';
import type { Connect, Connected, Topology } from './redis.ts';

interface Connectable {
  connect(): Promise<unknown>;
  destroy(): unknown;
}

async function ready<C extends Connectable & Connected['client']>(client: C): Promise<Connected> {
  await client.connect();
  const disconnect = (): void => {
    // A client that is closed already throws or rejects.
    void (async () => client.destroy())().catch(() => {});
  };
  return { client, disconnect };
}

export const nodeRedis: Readonly<Record<Topology, Connect>> = {
  single: ([server]) => ready(createClient({ url: server?.url ?? '' })),
  cluster: (servers) => ready(createCluster({ rootNodes: servers.map(({ url }) => ({ url })) })),
  sentinel: (servers) => {
    const sentinelRootNodes = servers.map(({ port }) => ({ host: '127.0.0.1', port }));
    return ready(createSentinel({ name: 'main', sentinelRootNodes }));
  },
};
