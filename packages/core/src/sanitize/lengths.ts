import type { Options } from '../vocabulary/option-checks.ts';
import { PolicyError } from '../vocabulary/policy-error.ts';

/** Lengths in Unicode code points, as JSON Schema counts. */
export interface Lengths {
  readonly minLength: number;
  readonly maxLength: number;
}

export function parseLengths(options: Options, defaults: Lengths, where: string): Lengths {
  const { minLength = defaults.minLength, maxLength = defaults.maxLength } = options;
  const least = wholeNumber(minLength, defaults.minLength, `${where}({ minLength })`);
  const most = wholeNumber(maxLength, 1, `${where}({ maxLength })`);
  if (least > most) {
    throw new PolicyError(
      `${where}({ minLength })`,
      `${least} is more than maxLength, ${most}`,
      'Nothing would pass: lower it, or raise maxLength.',
    );
  }
  return { minLength: least, maxLength: most };
}

export function ofLength(text: string, { minLength, maxLength }: Lengths): string | undefined {
  // A code point has one or two units, so most texts need no counting.
  if (text.length > 2 * maxLength) return undefined;
  if (text.length >= 2 * minLength && text.length <= maxLength) return text;
  const length = codePoints(text);
  return length >= minLength && length <= maxLength ? text : undefined;
}

function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

function wholeNumber(value: unknown, least: number, option: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least) return value;
  throw new PolicyError(
    option,
    `${String(value)} is not a whole number of at least ${least}`,
    'Give a number of characters.',
  );
}
