/**
 * A mistake in the configuration or in the calling code: thrown at construction or at the call, never because of
 * what came from the network. The message says what was wrong, where, and how to mend it.
 */
export class PolicyError extends TypeError {
  override readonly name = 'PolicyError';

  constructor(
    /** Path of the option, such as `policy.limits.messages`. */
    readonly option: string,
    problem: string,
    fix: string,
  ) {
    super(`${option}: ${problem}. ${fix}`);
  }
}
