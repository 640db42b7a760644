import type { Duration } from '@sallyport/core/store';
import { optionError } from './redis-store-error.ts';

/** Options of `redisStore()`. */
export interface RedisStoreOptions {
  /**
   * The prefix of every key and channel. Guards with the same prefix share their limits. Default: `sallyport`. On a
   * Cluster, a prefix with a hash tag such as `{sallyport}` keeps everything on one node. Then each operation is one
   * round trip, and no slot is taken and released again.
   */
  readonly prefix?: string;
  /**
   * How long a slot stays taken after its node has crashed. A running node renews its slots three times in that time.
   * Default: 30 s. At least 100 ms.
   */
  readonly leaseTtl?: Duration;
  /** How long an operation may take, with the wait for a connection. Default: 500 ms. Beyond: it rejects. */
  readonly timeout?: Duration;
  /**
   * How long a revocation is kept. At least as long as `limits.revocationRetention`. Default: 30 days, like that
   * limit.
   */
  readonly revocationRetention?: Duration;
  /**
   * How many revocations are kept. Default: 100,000. Beyond: `revoke` rejects, after it has told the connected nodes.
   */
  readonly revocations?: number;
  /** How many commands may wait for their answer. Default: 10,000. Beyond: operations reject at once. */
  readonly pending?: number;
}

export interface Settings {
  readonly prefix: string;
  readonly leaseTtl: number;
  readonly timeout: number;
  readonly retention: number;
  readonly revocations: number;
  readonly pending: number;
}

const NAMES = ['prefix', 'leaseTtl', 'timeout', 'revocationRetention', 'revocations', 'pending'];
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const SHORTEST_LEASE = 100;

export function settingsOf(options: RedisStoreOptions): Settings {
  if (typeof options !== 'object' || options === null)
    throw optionError('redisStore()', 'the options are not an object', 'Give { … }, or leave them out.');
  for (const name of Object.keys(options)) {
    if (!NAMES.includes(name))
      throw optionError(`redisStore({ ${name} })`, 'unknown option', `The options are ${NAMES.join(', ')}.`);
  }
  const leaseTtl = duration(options.leaseTtl ?? 30_000, 'leaseTtl');
  if (leaseTtl < SHORTEST_LEASE)
    throw optionError(
      'redisStore({ leaseTtl })',
      'it is too short to be renewed in time',
      `Give ${SHORTEST_LEASE} ms or more.`,
    );
  return {
    prefix: prefix(options.prefix ?? 'sallyport'),
    leaseTtl,
    timeout: duration(options.timeout ?? 500, 'timeout'),
    retention: duration(options.revocationRetention ?? '30d', 'revocationRetention'),
    revocations: count(options.revocations ?? 100_000, 'revocations'),
    pending: count(options.pending ?? 10_000, 'pending'),
  };
}

function prefix(value: unknown): string {
  if (typeof value === 'string' && /^([^{}\s]+|[^{}\s]*\{[^{}\s]+\}[^{}\s]*)$/.test(value)) return value;
  throw optionError(
    'redisStore({ prefix })',
    `${show(value)} cannot begin a key`,
    'Give a name without spaces, with one hash tag {…} at most.',
  );
}

function duration(value: unknown, name: string): number {
  const match = typeof value === 'string' ? /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(value) : undefined;
  const ms = match ? Number(match[1]) * (UNITS[match[2] ?? ''] ?? Number.NaN) : value;
  if (typeof ms === 'number' && Number.isFinite(ms) && ms >= 1) return Math.round(ms);
  throw optionError(
    `redisStore({ ${name} })`,
    `${show(value)} is not a duration`,
    "Give one such as '10s', or milliseconds, at least 1.",
  );
}

function count(value: unknown, name: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1) return value;
  throw optionError(
    `redisStore({ ${name} })`,
    `${show(value)} is not a whole number of at least 1`,
    'Give a positive whole number.',
  );
}

function show(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : String(value);
}
