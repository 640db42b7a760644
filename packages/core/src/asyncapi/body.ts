import { Check } from 'typebox/value';
import { ownType, withType } from '../message/type-property.ts';
import type { BodyDocument, Envelope, SchemaNode } from '../wire/envelope.ts';
import { describeType } from '../wire/message-id.ts';
import type { SchemaShelf } from './schema-shelf.ts';

const UNTOLD = 'The library of its schema does not tell what is in it.';

/** A body's schema in the document. Without a type it describes the body of every type. */
export function bodyOf(
  document: SchemaNode | undefined,
  type: string | undefined,
  { mergesType }: Envelope,
  schemas: SchemaShelf,
): BodyDocument {
  if (document === undefined || type === undefined) return openBody(type, mergesType);
  const body = schemas.body(document, type);
  const optional = Check(document as never, {});
  if (!mergesType) return { schema: body, optional };
  const own = ownType(body, type);
  const merged = own === 'none' ? withType(body, type) : own === 'name' ? body : undefined;
  return merged === undefined ? openBody(type, mergesType) : { schema: merged, optional };
}

function openBody(type: string | undefined, mergesType: boolean): BodyDocument {
  const description = type === undefined ? {} : { description: UNTOLD };
  const typed = { type: 'object', properties: { type: describeType(type) }, required: ['type'] };
  return { schema: mergesType ? { ...typed, ...description } : description, optional: true };
}
