import type { SchemaNode } from '../wire/envelope.ts';
import { changed, isNode, isObjectSchema } from './closed.ts';
import { referredTo, withOwnTop } from './references.ts';

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

type OwnType = 'none' | 'name' | 'other';

/**
 * Whether the body has a property `type` of its own: none, one that can only be the message's name, or another one, which would
 * be taken for it. Forms of which some have one and some have none are of two minds, and so is what has another one.
 */
export function ownType(schema: SchemaNode, name: string, whole = schema, depth = 0): OwnType {
  const inner = (node: unknown): OwnType => (isNode(node) ? ownType(node, name, whole, depth + 1) : 'none');
  const { properties, allOf, anyOf, oneOf, $ref } = schema;
  const all: OwnType[] = Array.isArray(allOf) ? allOf.map(inner) : [];
  if (isNode(properties) && Object.hasOwn(properties, 'type'))
    all.push(isName(properties.type, name) ? 'name' : 'other');
  // What refers to itself for ever is refused elsewhere.
  if (depth < 100) all.push(inner(referredTo(whole, $ref)));
  const forms = new Set(
    [anyOf, oneOf].flatMap((members) => (Array.isArray(members) ? members.map(inner) : [])),
  );
  if (all.includes('other') || forms.has('other')) return 'other';
  if (all.includes('name')) return 'name';
  return forms.size > 1 ? 'other' : ([...forms][0] ?? 'none');
}

function isName(schema: unknown, name: string): boolean {
  if (!isNode(schema)) return false;
  const { const: only, enum: several } = schema;
  return (
    only === name ||
    (Array.isArray(several) && several.length > 0 && several.every((value) => value === name))
  );
}

/** Whether every value that fits is an object; `undefined` where it may be something else. */
export function isObjectBody(schema: SchemaNode, whole = schema, depth = 0): boolean {
  if (isObjectSchema(schema)) return true;
  const inner = (node: unknown): boolean =>
    isNode(node) && depth < 100 && isObjectBody(node, whole, depth + 1);
  const { allOf, anyOf, oneOf, $ref } = schema;
  if (Array.isArray(allOf) && allOf.some(inner)) return true;
  if (inner(referredTo(whole, $ref))) return true;
  return [anyOf, oneOf].some((members) => Array.isArray(members) && members.every(inner));
}

/** Keywords that say nothing about how many properties there are, or what they are called, once the type is one of them. */
const OF_NAMED_PROPERTIES: ReadonlySet<string> = new Set([
  'type', 'properties', 'required', 'additionalProperties', 'anyOf', 'oneOf', '$defs', 'definitions', '$id', '$anchor', '$schema',
  '$comment', 'title', 'description', 'default', 'examples', 'deprecated', 'readOnly', 'writeOnly',
]); // biome-ignore format: a list of names reads best as a block

/**
 * Whether `withType` says exactly the same of a body with its type as the schema says of one without. What looks at an object as a
 * whole, such as a record or a refinement, would take the type for one of the body's own.
 */
export function takesType(schema: SchemaNode): boolean {
  if ('~refine' in schema || !Object.keys(schema).every((keyword) => OF_NAMED_PROPERTIES.has(keyword)))
    return false;
  const { anyOf, oneOf } = schema;
  const members = [anyOf, oneOf].filter(Array.isArray).flat() as unknown[];
  if (isObjectSchema(schema)) return members.length === 0;
  return members.length > 0 && members.every((member) => isNode(member) && takesType(member));
}

/** Whether no value that fits can be an object. */
export function isNoObject(schema: SchemaNode): boolean {
  const { type, anyOf, oneOf } = schema;
  if (type !== undefined) return ![type].flat().includes('object');
  if ('const' in schema) return !isNode(schema.const);
  return [anyOf, oneOf].some(
    (members) =>
      Array.isArray(members) &&
      members.length > 0 &&
      members.every((member) => isNode(member) && isNoObject(member)),
  );
}
