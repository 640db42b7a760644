import { expect, test } from '@jest/globals';
import { Cluster, Redis } from 'ioredis';
import { createClient, createCluster, createSentinel } from 'redis';
import { IoRedisPort } from '../../src/clients/ioredis.ts';
import { NodeRedisPort } from '../../src/clients/node-redis.ts';
import { portOf, type RedisClient } from '../../src/clients/port-of.ts';

const node = { host: '127.0.0.1', port: 1 };

test.each<[string, RedisClient, typeof IoRedisPort | typeof NodeRedisPort, boolean]>([
  ['ioredis', new Redis({ lazyConnect: true }), IoRedisPort, false],
  ['ioredis on a Cluster', new Cluster([node], { lazyConnect: true }), IoRedisPort, true],
  ['node-redis', createClient(), NodeRedisPort, false],
  [
    'node-redis on a Cluster',
    createCluster({ rootNodes: [{ url: 'redis://127.0.0.1:1' }] }),
    NodeRedisPort,
    true,
  ],
  [
    'node-redis behind Sentinel',
    createSentinel({ name: 'main', sentinelRootNodes: [node] }),
    NodeRedisPort,
    false,
  ],
])('%s is recognized by its methods', (_name, client, kind, cluster) => {
  const port = portOf(client);
  expect(port).toBeInstanceOf(kind);
  expect(port.cluster).toBe(cluster);
});

test('a client with a keyPrefix throws a PolicyError', () => {
  const clients = [
    new Redis({ lazyConnect: true, keyPrefix: 'app:' }),
    new Cluster([node], { lazyConnect: true, keyPrefix: 'app:' }),
    createClient({ keyPrefix: 'app:' }),
  ];
  for (const client of clients) expect(() => portOf(client)).toThrow('keyPrefix');
});

test('a client that was never connected is closed, and a lazy one is connected', () => {
  expect(portOf(createClient()).state).toBe('closed');
  const lazy = new Redis({ lazyConnect: true, retryStrategy: null, ...node });
  expect(portOf(lazy).state).toBe('offline');
  expect(lazy.status).not.toBe('wait');
  lazy.disconnect();
});
