import { PolicyError } from './policy-error.ts';

/** Options before anybody has looked at them. */
export type Options = Readonly<Record<string, unknown>>;

export function optionObject(value: unknown, known: readonly string[], option: string): Options {
  if (value === undefined || typeof value === 'boolean') return {};
  const options = asObject(value, option);
  refuseUnknown(options, known, option);
  return options;
}

export function refuseUnknown(options: object, known: readonly string[], where: string): void {
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue;
    const close = known.find((name) => name.toLowerCase().startsWith(key.toLowerCase().slice(0, 4)));
    throw new PolicyError(
      `${where}.${key}`,
      'unknown option',
      close === undefined ? `The options are ${known.join(', ')}.` : `Did you mean '${close}'?`,
    );
  }
}

export function asObject(value: unknown, option: string): Options {
  if (value === undefined) return {};
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Options;
  throw new PolicyError(option, 'it is not an object', 'Give { … }.');
}

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
