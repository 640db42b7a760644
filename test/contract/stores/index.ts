import { ioredis } from './ioredis.ts';
import { nodeRedis } from './node-redis.ts';
import { redisKind, type Topology } from './redis.ts';
import type { StoreKind } from './store.ts';

export { memory } from './memory.ts';

/** The client libraries. */
export const libraries = { ioredis, 'node-redis': nodeRedis } as const;

const TOPOLOGIES: Readonly<Record<Topology, string>> = {
  single: '',
  cluster: ' on a Cluster',
  sentinel: ' behind Sentinel',
};

/** Every way to reach a Redis. */
export const redisStores: readonly StoreKind[] = Object.entries(TOPOLOGIES).flatMap(([topology, where]) =>
  Object.entries(libraries).map(([library, connect]) =>
    redisKind(`${library}${where}`, topology as Topology, connect[topology as Topology]),
  ),
);
