import { type TString, Type } from 'typebox';
import { PolicyError } from '../vocabulary/policy-error.ts';

/** Marks a schema whose text is changed or refused before a handler gets it. */
const SANITIZER: unique symbol = Symbol('sallyport.sanitizer');

/** Returns the sanitized text, or `undefined` if it is refused. Pure and synchronous; never throws. */
export type Sanitizer = (text: string) => string | undefined;

/** Keywords of JSON Schema about the result, for documents made from the schema. */
export interface TextKeywords {
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly format?: string;
  readonly description?: string;
}

interface SanitizedSchema {
  readonly [SANITIZER]?: {
    readonly sanitizer: Sanitizer;
    readonly keywords: TextKeywords;
    readonly cost: number;
  };
}

/**
 * A text schema with a sanitizer. The keywords describe the sanitized text and are not checked before, because
 * lengths count after normalizing. Without a pattern that checks as much as the sanitizer, the text cannot be the key
 * of a record: TypeBox would skip the sanitizer. `cost` is the number of ordinary messages that take about as long.
 */
export function sanitizedText(keywords: TextKeywords, sanitizer: Sanitizer, cost = 1): TString {
  const schema = Type.String({ ...keywords });
  // Enumerable, so that `{ ...safeText(), description: '…' }` sanitizes as well.
  Object.assign(schema, { [SANITIZER]: { sanitizer, keywords: { ...keywords }, cost } });
  if (keywords.pattern === undefined) Object.defineProperty(schema, 'pattern', HIDDEN_PATTERN);
  return schema;
}

/** Throws if TypeBox asks for the pattern of a key. It matches every text. */
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

export function sanitizerOf(schema: object): Sanitizer | undefined {
  return (schema as SanitizedSchema)[SANITIZER]?.sanitizer;
}

/** The highest cost of a sanitizer in a schema; 1 without any. */
export function costOfSanitizers(schema: unknown, seen = new Set<unknown>()): number {
  if (typeof schema !== 'object' || schema === null || seen.has(schema)) return 1;
  seen.add(schema);
  const own = (schema as SanitizedSchema)[SANITIZER]?.cost ?? 1;
  return Object.values(schema).reduce<number>(
    (cost, inner) => Math.max(cost, costOfSanitizers(inner, seen)),
    own,
  );
}

/** The keywords that the sanitizer checks by itself. */
export function keywordsOfSanitizer(schema: object): TextKeywords {
  return (schema as SanitizedSchema)[SANITIZER]?.keywords ?? {};
}

export function isSanitizerMark(key: symbol): boolean {
  return key === SANITIZER;
}
