import { PolicyError } from '../vocabulary/policy-error.ts';
import { sanitizerOf } from './sanitizer.ts';

/**
 * Applies the sanitizer of a schema to a text, for schemas of other libraries, such as `z.string().transform(…)`.
 * Returns the sanitized text, or `undefined` if it is refused.
 *
 * @throws PolicyError, which is a TypeError, for a schema without a sanitizer.
 *
 * @example
 * ```ts
 * import { safeText, sanitize } from '@sallyport/core';
 *
 * const text = sanitize(safeText({ maxLength: 80 }), 'from elsewhere');
 * console.log(text ?? 'refused');
 * ```
 */
export function sanitize(schema: object, text: string): string | undefined {
  const sanitizer = typeof schema === 'object' && schema !== null ? sanitizerOf(schema) : undefined;
  if (sanitizer === undefined) {
    throw new PolicyError(
      'sanitize()',
      'the schema has no sanitizer',
      'Give one that safeText() and the like have made.',
    );
  }
  if (typeof text !== 'string') throw new TypeError('sanitize() takes a text.');
  return sanitizer(text);
}
