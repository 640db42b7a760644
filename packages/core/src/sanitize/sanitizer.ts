import { type TString, Type } from 'typebox';
import { PolicyError } from '../vocabulary/policy-error.ts';

/** Marks a schema whose text is changed, or refused, before a handler gets it. */
const SANITIZER: unique symbol = Symbol('sallyport.sanitizer');

/** Returns the text that is handed on, or `undefined` where it is refused. Pure and synchronous; never throws. */
export type Sanitizer = (text: string) => string | undefined;

/** Keywords of JSON Schema that describe what comes out, for documents made from the schema. */
export interface TextKeywords {
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly format?: string;
  readonly description?: string;
}

interface SanitizedSchema {
  readonly [SANITIZER]?: { readonly sanitizer: Sanitizer; readonly keywords: TextKeywords };
}

/**
 * A schema of text with a sanitizer. Its keywords describe the sanitized text and are not checked before: the sanitizer
 * itself refuses what is too long, since lengths count after normalizing. Without a pattern that says all that the sanitizer
 * does, the text cannot be the key of a record: TypeBox would forget about the sanitizer.
 */
export function sanitizedText(keywords: TextKeywords, sanitizer: Sanitizer): TString {
  const schema = Type.String({ ...keywords });
  // Enumerable, so that `{ ...safeText(), description: '…' }` sanitizes as well.
  Object.assign(schema, { [SANITIZER]: { sanitizer, keywords: { ...keywords } } });
  if (keywords.pattern === undefined) Object.defineProperty(schema, 'pattern', HIDDEN_PATTERN);
  return schema;
}

/** The pattern that TypeBox asks a key for. It matches every text. */
class NoKey extends RegExp {
  override toString(): string {
    throw new PolicyError(
      'Type.Record()',
      'a sanitized text cannot be the key of a record, since keys are not changed',
      'Use identifier(), or Type.String({ pattern }).',
    );
  }
}

const HIDDEN_PATTERN: PropertyDescriptor = {
  value: new NoKey('', 'u'),
  configurable: true,
  enumerable: false,
  writable: true,
};

/** The sanitizer of a schema node, if it has one. */
export function sanitizerOf(schema: object): Sanitizer | undefined {
  return (schema as SanitizedSchema)[SANITIZER]?.sanitizer;
}

/** What its sanitizer sees to by itself, of the keywords that a schema of text has. */
export function keywordsOfSanitizer(schema: object): TextKeywords {
  return (schema as SanitizedSchema)[SANITIZER]?.keywords ?? {};
}

export function isSanitizerMark(key: symbol): boolean {
  return key === SANITIZER;
}
