import { script } from '../script.ts';

/** KEYS: the value's key. ARGV: the value and its milliseconds. */
export const PUT = script(`return redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])`);

/** KEYS: the value's key. Takes the value out. A script is atomic, so one caller gets it. */
export const REDEEM = script(`return redis.call('GETDEL', KEYS[1])`);

/**
 * Writes something that is gone at once: a Redis that is full, a read-only replica, or short of replicas still answers
 * reads. KEYS: a key of the hash slot.
 */
export const PING = script(`return redis.call('SET', KEYS[1], '', 'PX', 1000)`);
