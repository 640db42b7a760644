/** Why Redis gave no answer. */
export type RedisFailure =
  /** It did not answer in time. */
  | 'timeout'
  /** The client was closed, or never connected. */
  | 'closed'
  /** Too many commands wait for an answer. */
  | 'busy'
  /** There is no room for another revocation. */
  | 'full';

/** The error of the store's operations, besides those of Redis and its client. */
export class RedisStoreError extends Error {
  override readonly name = 'RedisStoreError';

  constructor(
    readonly code: RedisFailure,
    message: string,
  ) {
    super(message);
  }
}

/** Equals the core's `PolicyError`, which this package does not import: a mistake in the calling code. */
export function optionError(option: string, problem: string, fix: string): TypeError {
  return Object.assign(new TypeError(`${option}: ${problem}. ${fix}`), { name: 'PolicyError', option });
}
