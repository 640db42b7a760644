import type { SchemaNode } from '../wire/envelope.ts';
import { changed, mapInner } from './closed.ts';

/**
 * TypeBox takes a `Uint8Array` for an object with a property per byte. In messages, bytes are a value of their own
 * that no object schema accepts. Only a codec produces bytes.
 */
export function withoutBytes(schema: SchemaNode): SchemaNode {
  const copy = changed(mapInner(schema, withoutBytes), {});
  if (![schema.type].flat().includes('object')) return copy;
  const own = (schema as { '~refine'?: readonly unknown[] })['~refine'] ?? [];
  Object.defineProperty(copy, '~refine', { value: [NO_BYTES, ...own] });
  return copy;
}

/** A TypeBox refinement, which is called for objects only. */
const NO_BYTES = {
  check: (value: unknown): boolean => !(value instanceof Uint8Array),
  error: (): string => 'bytes',
};
