import type { Kind } from './option.ts';
import { oneOf, stringList } from './option-checks.ts';
import { PolicyError } from './policy-error.ts';
import type { RateLimit } from './store-contract.ts';
import {
  type ByteRateOption,
  type Duration,
  parseBudget,
  parseByteRate,
  parseCount,
  parseDuration,
  parseRate,
  parseSize,
  type RateOption,
  type Size,
} from './units.ts';

/** Becomes milliseconds. */
export const duration: Kind<Duration, number> = { type: 'Duration', read: parseDuration };
/** Becomes bytes. */
export const size: Kind<Size, number> = { type: 'Size', read: parseSize };
export const rate: Kind<RateOption, RateLimit> = { type: 'RateOption', read: parseRate };
export const byteRate: Kind<ByteRateOption, RateLimit> = { type: 'ByteRateOption', read: parseByteRate };
/** How many of something are forgiven, and how fast that recovers. */
export const budget: Kind<number | RateOption, RateLimit> = {
  type: 'number | RateOption',
  read: parseBudget,
};
/** A whole number of at least 1. */
export const count: Kind<number> = { type: 'number', read: parseCount };

export const flag: Kind<boolean> = { ...choice(true, false), type: 'boolean' };

/** A list of at least one name. */
export const names: Kind<readonly string[]> = {
  type: 'string[]',
  read(value, option) {
    stringList(value, option);
    return value as readonly string[];
  },
};

/** One of a few values. */
export function choice<const T extends readonly (string | boolean | symbol)[]>(
  ...values: T
): Kind<T[number]> {
  return {
    type: values.map(spelled).join(' | '),
    read(value, option) {
      oneOf(value, values, option);
      return value as T[number];
    },
  };
}

/** A symbol is exported under the last part of its description. */
function spelled(value: string | boolean | symbol): string {
  if (typeof value === 'symbol') return String(value.description?.split('.').at(-1));
  return typeof value === 'string' ? `'${value}'` : String(value);
}

/** A value that `false` switches off. */
export function orFalse<W, S>(kind: Kind<W, S>): Kind<W | false, S | false> {
  return {
    ...kind,
    type: `${kind.type} | false`,
    read: (value, option) => (value === false ? false : kind.read(value, option)),
  } as Kind<W | false, S | false>;
}

/** A text that is not empty. */
export function text(fix: string): Kind<string> {
  return checkedValue('string', (value) => typeof value === 'string' && value !== '', 'it is no text', fix);
}

/** A function of the application. */
export function callback<F>(fix: string): Kind<F> {
  return checkedValue<F>('function', (value) => typeof value === 'function', 'it is not a function', fix);
}

/** A value that is checked and then used unchanged. */
export function checkedValue<T>(
  type: string,
  fits: (value: unknown) => boolean,
  problem: string,
  fix: string,
): Kind<T> {
  return {
    type,
    read(value, option) {
      if (fits(value)) return value as T;
      throw new PolicyError(option, problem, fix);
    },
  };
}
