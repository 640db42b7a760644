import { optionError } from '../redis-store-error.ts';
import { type IoRedisClient, IoRedisPort } from './ioredis.ts';
import { type NodeRedisClient, NodeRedisPort } from './node-redis.ts';
import type { RedisPort } from './redis-port.ts';

/** A client of ioredis or node-redis. Its methods tell which. */
export type RedisClient = IoRedisClient | NodeRedisClient;

export function portOf(client: RedisClient): RedisPort {
  if (typeof client === 'object' && client !== null) {
    const methods = client as unknown as Readonly<Record<string, unknown>>;
    const can = (...names: readonly string[]): boolean =>
      names.every((name) => typeof methods[name] === 'function');
    refusePrefix(methods.options);
    if (can('evalsha', 'eval', 'duplicate', 'subscribe')) return new IoRedisPort(client as IoRedisClient);
    if (can('evalSha', 'eval', 'duplicate', 'subscribe', 'unsubscribe'))
      return new NodeRedisPort(client as NodeRedisClient);
  }
  throw optionError(
    'redisStore(client)',
    'it is neither a client of ioredis nor one of node-redis',
    'Give new Redis(…) or new Cluster(…) of ioredis, or createClient(…), createCluster(…) or createSentinel(…) of redis.',
  );
}

/**
 * A key prefix of the client does not apply to channels, so two applications would hear each other's bans and
 * revocations.
 */
function refusePrefix(options: unknown): void {
  if (typeof options !== 'object' || options === null || !('keyPrefix' in options)) return;
  if (options.keyPrefix === undefined || options.keyPrefix === '') return;
  throw optionError(
    'redisStore(client)',
    'its keyPrefix would be added to keys and not to channels',
    'Use redisStore(client, { prefix }), with a client that has no keyPrefix.',
  );
}
