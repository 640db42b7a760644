import type { RedisServer } from '../support/redis.ts';

/** Milliseconds: a handshake has two questions, and each has 500 ms (`limits.storeTimeout`). */
export const DEADLINE = 2 * 500;
/** Milliseconds that a busy machine may add. */
export const MARGIN = 2_000;
/** Milliseconds within which everything is as before once Redis is back. */
export const RECOVERY = 15_000;

/** How Redis goes, and how it comes back. */
export const OUTAGES = [
  {
    what: 'killed, and comes back empty',
    lose: (redis: RedisServer) => redis.kill(),
    bring: (redis: RedisServer) => redis.start(),
  },
  {
    what: 'stopped, and goes on',
    lose: async (redis: RedisServer) => redis.pause(),
    bring: async (redis: RedisServer) => redis.resume(),
  },
];
