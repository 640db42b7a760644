import type { TString } from 'typebox';
import { asObject, oneOf, refuseUnknown } from '../vocabulary/option-checks.ts';
import { type Lengths, parseLengths } from './lengths.ts';
import { sanitizedText } from './sanitizer.ts';

/** Options of `identifier()`. */
export interface IdentifierOptions {
  /** The shortest name, in characters, at least 1. Default: 1. Else: the message is refused. */
  readonly minLength?: number;
  /** The longest name, in characters. Default: 63, as in PostgreSQL and DNS. Beyond: the message is refused. */
  readonly maxLength?: number;
  /** Whether dashes may follow the first character. Default: `false`, because SQL accepts them in quotes only. */
  readonly dashes?: boolean;
}

const KNOWN: readonly string[] = ['minLength', 'maxLength', 'dashes'] satisfies (keyof IdentifierOptions)[];
const DEFAULTS: Lengths = { minLength: 1, maxLength: 63 };

/**
 * Devices that Windows opens in every folder and with every extension, and the one name that no object key may have.
 */
const RESERVED = ['con', 'prn', 'aux', 'nul', 'com[0-9]', 'lpt[0-9]', '__proto__'];

/** JSON Schema patterns have no flag for letter case. */
function inAnyCase(word: string): string {
  return word.replace(/[a-z]/g, (letter) => `[${letter}${letter.toUpperCase()}]`);
}

/**
 * A name for a path, a key or an SQL identifier: an ASCII letter or underscore, then letters, digits and underscores.
 * It is never changed, only refused, as are the names of Windows devices (`CON`, `com1`) and `__proto__`. None of
 * these characters has a meaning in a path, a shell, a URL, HTML or SQL.
 *
 * In SQL, still put it in quotes (`"name"`), because it may be a reserved word such as `select`, and compare it with
 * a list of the tables and columns that a client may name. Values need parameters even if they were checked. File
 * systems and SQL may treat `Name` and `name` as the same.
 *
 * @example
 * ```ts
 * import { identifier, Type } from '@sallyport/core';
 *
 * export const join = Type.Object({ room: identifier({ maxLength: 32 }) });
 * ```
 */
export function identifier(options: IdentifierOptions = {}): TString {
  const given = asObject(options, 'identifier()');
  refuseUnknown(given, KNOWN, 'identifier()');
  const { dashes = false } = options;
  oneOf(dashes, [true, false], 'identifier({ dashes })');
  const { minLength, maxLength } = parseLengths(given, DEFAULTS, 'identifier');
  const rest = dashes ? '[A-Za-z0-9_-]' : '[A-Za-z0-9_]';
  // The pattern checks everything, because TypeBox checks the keys of a record by their pattern only.
  const pattern = `^(?!(?:${RESERVED.map(inAnyCase).join('|')})$)[A-Za-z_]${rest}{${minLength - 1},${maxLength - 1}}$`;
  const wellFormed = new RegExp(pattern);
  return sanitizedText({ minLength, maxLength, pattern }, (text) =>
    wellFormed.test(text) ? text : undefined,
  );
}
