import type { RedisServer } from '../support/redis.ts';

/** In milliseconds: a handshake calls the store twice, with 500 ms for each call (`limits.storeTimeout`). */
export const DEADLINE = 2 * 500;
/** Milliseconds that a busy machine may add. */
export const MARGIN = 2_000;
/** Milliseconds within which everything works again once Redis is back. */
export const RECOVERY = 15_000;

/** How Redis fails, and how it recovers. */
export const OUTAGES = [
  {
    what: 'killed and restarted empty',
    lose: (redis: RedisServer) => redis.kill(),
    bring: (redis: RedisServer) => redis.start(),
  },
  {
    what: 'paused and resumed',
    lose: async (redis: RedisServer) => redis.pause(),
    bring: async (redis: RedisServer) => redis.resume(),
  },
];
