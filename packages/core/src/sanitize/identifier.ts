import type { TString } from 'typebox';
import { asObject, oneOf, refuseUnknown } from '../vocabulary/option-checks.ts';
import { type Lengths, parseLengths } from './lengths.ts';
import { sanitizedText } from './sanitizer.ts';

/** Options of `identifier()`. */
export interface IdentifierOptions {
  /** The shortest name, in characters. Default: 1, which is also the least. Else: the message is refused. */
  readonly minLength?: number;
  /** The longest name, in characters. Default: 63, as in PostgreSQL and DNS. Beyond: the message is refused. */
  readonly maxLength?: number;
  /** Whether dashes may stand after the first character. Default: `false`; SQL takes them in quotes only. */
  readonly dashes?: boolean;
}

const KNOWN: readonly string[] = ['minLength', 'maxLength', 'dashes'] satisfies (keyof IdentifierOptions)[];
const DEFAULTS: Lengths = { minLength: 1, maxLength: 63 };

/** Names of devices, which Windows opens in every folder and with every extension; and the one name that no key may have. */
const RESERVED = ['con', 'prn', 'aux', 'nul', 'com[0-9]', 'lpt[0-9]', '__proto__'];

/** However it is written: the pattern has to say so by itself, since JSON Schema knows no flags. */
function inAnyCase(word: string): string {
  return word.replace(/[a-z]/g, (letter) => `[${letter}${letter.toUpperCase()}]`);
}

/**
 * A name that may become part of a path, of a key or of an SQL identifier: an ASCII letter or underscore, then letters,
 * digits and underscores. It is never changed, only refused; names of Windows devices (`CON`, `com1`) and `__proto__`
 * are. Not one of these characters has a meaning in a path, a shell, a URL, HTML or SQL.
 *
 * In SQL it still needs quotes (`"name"`), since it may be a reserved word such as `select`, and a list of the tables
 * and columns that a client may name, since it may be one that it should not see; values need parameters, whatever they
 * were checked for. Paths and SQL may take `Name` and `name` for the same.
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
  // All that there is to check, so that it is the same for the keys of a record, of which TypeBox looks at the pattern alone.
  const pattern = `^(?!(?:${RESERVED.map(inAnyCase).join('|')})$)[A-Za-z_]${rest}{${minLength - 1},${maxLength - 1}}$`;
  const wellFormed = new RegExp(pattern);
  return sanitizedText({ minLength, maxLength, pattern }, (text) =>
    wellFormed.test(text) ? text : undefined,
  );
}
