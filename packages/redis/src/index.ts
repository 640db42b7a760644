export type { IoRedisClient } from './clients/ioredis.ts';
export type { NodeRedisClient } from './clients/node-redis.ts';
export type { RedisClient } from './clients/port-of.ts';
export { redisStore } from './redis-store.ts';
export { type RedisFailure, RedisStoreError } from './redis-store-error.ts';
export type { RedisStoreOptions } from './redis-store-options.ts';
