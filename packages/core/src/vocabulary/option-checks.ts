import { nearestName } from './nearest-name.ts';
import { PolicyError } from './policy-error.ts';

/** Options that were not checked yet. */
export type Options = Readonly<Record<string, unknown>>;

/**
 * Refuses unknown options and suggests the nearest name. `elsewhere` holds names of other objects' options, each with
 * its path: `limits.heartbeat`.
 */
export function refuseUnknown(
  options: object,
  known: readonly string[],
  where: string,
  elsewhere: readonly string[] = [],
): void {
  requireObject(options, where);
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  const near = nearestName(unknown, known) ?? misplaced(unknown, elsewhere);
  throw new PolicyError(
    optionPath(where, unknown),
    'unknown option',
    near === undefined ? `The options are ${known.join(', ')}.` : `Did you mean '${near}'?`,
  );
}

/**
 * Refuses what TypeScript would have refused: options that are no object.
 *
 * @throws PolicyError that names the function.
 */
export function requireObject(options: unknown, where: string): void {
  if (typeof options === 'object' && options !== null && !Array.isArray(options)) return;
  throw new PolicyError(where, 'its options are not an object', 'Give { … }.');
}

/** @throws TypeError for anything but a function that is given to `call`, such as `on('say', …)`. */
export function requireListener(value: unknown, call: string): void {
  if (typeof value !== 'function') throw new TypeError(`${call} takes a function.`);
}

/**
 * Checks that a user has passed a function.
 *
 * @throws PolicyError for anything else.
 */
export function requireFunction(value: unknown, option: string, fix: string): void {
  if (typeof value !== 'function') throw new PolicyError(option, 'it is not a function', fix);
}

function misplaced(unknown: string, elsewhere: readonly string[]): string | undefined {
  const names = elsewhere.map((path) => path.slice(path.lastIndexOf('.') + 1));
  const near = nearestName(unknown, names);
  return near === undefined ? undefined : elsewhere[names.indexOf(near)];
}

/**
 * The path of an option: `policy.limits.idle` in `policy.limits`, `jwt({ from })` in `jwt()`, `upgrade(…, { a })` in
 * `upgrade(…)`.
 */
export function optionPath(where: string, name: string): string {
  if (where.endsWith('()')) return `${where.slice(0, -1)}{ ${name} })`;
  const [, before, braces] = /^(.*[^ }])((?: \})+\))$/.exec(where) ?? [];
  if (braces !== undefined) return `${before}: { ${name} }${braces}`;
  return where.endsWith(')') ? `${where.slice(0, -1)}, { ${name} })` : `${where}.${name}`;
}

export function asObject(value: unknown, option: string): Options {
  if (value === undefined) return {};
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Options;
  throw new PolicyError(option, 'it is not an object', 'Give { … }.');
}

/**
 * Checks that an option is one of some values, or left out.
 *
 * @throws PolicyError that names them.
 */
export function oneOf(value: unknown, allowed: readonly unknown[], option: string): void {
  if (value === undefined || allowed.includes(value)) return;
  throw new PolicyError(
    option,
    `${String(value)} is not an option`,
    `Use ${allowed.map(String).join(' or ')}.`,
  );
}

export function stringList(value: unknown, option: string): void {
  if (value === undefined) return;
  if (Array.isArray(value) && value.length > 0 && value.every((entry) => typeof entry === 'string')) return;
  throw new PolicyError(
    option,
    'it is not a list of names, or an empty one',
    'List at least one, or leave it out.',
  );
}
