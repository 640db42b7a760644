import type { SchemaNode } from '../wire/envelope.ts';
import { changed, isNode, isObjectSchema } from './closed.ts';
import { withOwnTop } from './references.ts';

/**
 * The schema of a body that has the message's type among its properties: adds it to every object that the body may
 * be. `undefined` where it may be something else.
 */
export function withType(schema: SchemaNode, type: string): SchemaNode | undefined {
  return addType(withOwnTop(schema), type);
}

function addType(schema: SchemaNode, type: string): SchemaNode | undefined {
  if (isObjectSchema(schema)) {
    return changed(schema, {
      properties: { ...(schema.properties as object | undefined), type: { const: type } },
      required: [...((schema.required as string[] | undefined) ?? []), 'type'],
    });
  }
  if (Array.isArray(schema.allOf)) {
    return changed(schema, { allOf: [...schema.allOf, typeObject(type)] });
  }
  const keyword = Array.isArray(schema.anyOf) ? 'anyOf' : 'oneOf';
  const members = schema[keyword];
  if (!Array.isArray(members)) return undefined;
  const added = members.map((member) => (isNode(member) ? addType(member, type) : undefined));
  return added.includes(undefined) ? undefined : changed(schema, { [keyword]: added });
}

/** An object of which only the type is known. */
function typeObject(type: string): SchemaNode {
  return { type: 'object', properties: { type: { const: type } }, required: ['type'] };
}

/** Whether the body has a property `type` of its own, which would be taken for the message's. */
export function hasOwnType({ properties, ...schema }: SchemaNode): boolean {
  if (isNode(properties) && Object.hasOwn(properties, 'type')) return true;
  return ['allOf', 'anyOf', 'oneOf'].some((keyword) => {
    const members = schema[keyword];
    return Array.isArray(members) && members.filter(isNode).some(hasOwnType);
  });
}
