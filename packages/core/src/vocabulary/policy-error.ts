/**
 * A mistake in the configuration or in the calling code, thrown at construction or by the call. Input from the
 * network never causes it. The message names the option, the problem and the fix.
 */
export class PolicyError extends TypeError {
  override readonly name = 'PolicyError';

  constructor(
    /** The path of the option, such as `policy.limits.messages`. */
    readonly option: string,
    problem: string,
    fix: string,
  ) {
    super(`${option}: ${problem}. ${fix}`);
  }
}
