export type { IoRedisClient } from './clients/ioredis.ts';
export type { NodeRedisClient } from './clients/node-redis.ts';
export type { RedisClient } from './clients/port-of.ts';
export { type RedisFailure, RedisStoreError } from './errors.ts';
export type { RedisStoreOptions } from './options.ts';
export { redisStore } from './redis-store.ts';
