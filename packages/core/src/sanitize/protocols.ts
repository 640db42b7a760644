import { stringList } from '../vocabulary/option-checks.ts';
import { PolicyError } from '../vocabulary/policy-error.ts';

/** Refuses a scheme that is not among the allowed ones. `otherwise` is a second fix for the error. */
export function checkProtocols(
  given: readonly string[],
  allowed: readonly string[],
  option: string,
  otherwise = '',
): readonly string[] {
  stringList(given, option);
  const other = given.find((protocol) => !allowed.includes(protocol));
  if (other === undefined) return given;
  const names = allowed.map((protocol) => `'${protocol}'`).join(', ');
  throw new PolicyError(option, `'${other}' is no scheme that it allows`, `Use ${names}${otherwise}.`);
}
