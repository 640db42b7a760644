import { type TString, Type } from 'typebox';

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

/**
 * A schema of text with a sanitizer. Its keywords describe the sanitized text and are not checked before: the sanitizer
 * itself refuses what is too long, since lengths count after normalizing.
 */
export function sanitizedText(keywords: TextKeywords, sanitizer: Sanitizer): TString {
  // Enumerable, so that `{ ...safeText(), description: '…' }` sanitizes as well.
  return Object.assign(Type.String({ ...keywords }), { [SANITIZER]: sanitizer });
}

/** The sanitizer of a schema node, if it has one. */
export function sanitizerOf(schema: object): Sanitizer | undefined {
  return (schema as { readonly [SANITIZER]?: Sanitizer })[SANITIZER];
}
