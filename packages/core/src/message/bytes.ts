import type { SchemaNode } from '../wire/envelope.ts';
import { changed, mapInner } from './closed.ts';

/**
 * To JavaScript, and so to TypeBox, bytes are an object with a property for each: a record of numbers, or `{}`. To a
 * message they are a value of their own, as a text is, and no schema of an object takes them. Only a codec makes bytes.
 */
export function withoutBytes(schema: SchemaNode): SchemaNode {
  const copy = changed(mapInner(schema, withoutBytes), {});
  if (![schema.type].flat().includes('object')) return copy;
  const own = (schema as { '~refine'?: readonly unknown[] })['~refine'] ?? [];
  Object.defineProperty(copy, '~refine', { value: [NO_BYTES, ...own] });
  return copy;
}

/** A refinement of TypeBox, which is asked of a value that is an object. */
const NO_BYTES = {
  check: (value: unknown): boolean => !(value instanceof Uint8Array),
  error: (): string => 'bytes',
};
