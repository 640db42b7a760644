import { Cluster, Redis } from 'ioredis';
import type { Connect, Connected, Topology } from './redis.ts';

const HOST = '127.0.0.1';

/** Resolves once the client is connected. Later failures are up to the store. */
function ready(client: Redis | Cluster): Promise<Connected> {
  return new Promise((resolve) =>
    client.once('ready', () => resolve({ client, disconnect: () => client.disconnect() })),
  );
}

export const ioredis: Readonly<Record<Topology, Connect>> = {
  single: ([server]) => ready(new Redis(server?.port ?? 0, HOST)),
  cluster: (servers) => ready(new Cluster(servers.map(({ port }) => ({ host: HOST, port })))),
  sentinel: (servers) =>
    ready(new Redis({ sentinels: servers.map(({ port }) => ({ host: HOST, port })), name: 'main' })),
};
