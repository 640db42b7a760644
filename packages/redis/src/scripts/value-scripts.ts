import { script } from '../script.ts';

/** KEYS: where. ARGV: the value, and for how many milliseconds. */
export const PUT = script(`return redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])`);

/** KEYS: where. Takes the value out: a script is one step, so that one caller gets it. */
export const REDEEM = script(`return redis.call('GETDEL', KEYS[1])`);

/** KEYS: anything in the slot that is asked. */
export const PING = script(`return redis.call('EXISTS', KEYS[1])`);
