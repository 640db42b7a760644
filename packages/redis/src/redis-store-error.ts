/** Why Redis gave no answer. */
export type RedisFailure =
  /** It did not answer in time. */
  | 'timeout'
  /** The client was closed, or never connected. */
  | 'closed'
  /** Too many commands wait for an answer already. */
  | 'busy'
  /** There is no room for one more. */
  | 'full';

/** What an operation of the store rejects with, beside the errors of Redis and of its client. */
export class RedisStoreError extends Error {
  override readonly name = 'RedisStoreError';

  constructor(
    readonly code: RedisFailure,
    message: string,
  ) {
    super(message);
  }
}

/** The same as the core's `PolicyError`, of which this package knows the type only: a mistake in the calling code. */
export function optionError(option: string, problem: string, fix: string): TypeError {
  return Object.assign(new TypeError(`${option}: ${problem}. ${fix}`), { name: 'PolicyError', option });
}
