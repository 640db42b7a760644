import type { SchemaNode } from '../wire/envelope.ts';
import { changed, isNode, isObjectSchema } from './closed.ts';
import { referredTo, withOwnTop } from './references.ts';

/** Adds the message's type to every object that the body may be. `undefined` if the body may be something else. */
export function withType(schema: SchemaNode, type: string): SchemaNode | undefined {
  return addType(withOwnTop(schema), type);
}

function addType(schema: SchemaNode, type: string): SchemaNode | undefined {
  if (isObjectSchema(schema)) {
    return changed(schema, {
      ...besideType(schema),
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

/**
 * Changes a record so that its schema does not apply to the name `type`. If it applied to all names, it still does to all
 * others; a pattern for some names that includes `type` is dropped.
 */
function besideType({ patternProperties }: SchemaNode): SchemaNode {
  const patterns = isNode(patternProperties) ? Object.entries(patternProperties) : [];
  const others = patterns.filter(([pattern]) => !new RegExp(pattern, 'u').test('type'));
  if (others.length === patterns.length) return {};
  const [all] = patterns.filter(([pattern]) => EVERY_NAME.has(pattern));
  return { patternProperties: Object.fromEntries(others), additionalProperties: all?.[1] ?? true };
}

/** The patterns that TypeBox writes for a record with any names. */
const EVERY_NAME: ReadonlySet<string> = new Set(['^.*$', '^(.*)$']);

/** A schema of an object with this type and any other properties. */
function typeObject(type: string): SchemaNode {
  return { type: 'object', properties: { type: { const: type } }, required: ['type'] };
}

type OwnType = 'none' | 'name' | 'other';

/**
 * Whether the schema has its own property `type`: none, the message's name, or another one, which would be mistaken
 * for it. If only some forms have one, it counts as another.
 */
export function ownType(body: SchemaNode, name: string): OwnType {
  // A circular reference adds nothing.
  const known = new Map<SchemaNode, OwnType | undefined>();
  const typeOf = (schema: SchemaNode): OwnType | undefined => {
    if (known.has(schema)) return known.get(schema);
    known.set(schema, undefined);
    const { properties, allOf, anyOf, oneOf, $ref } = schema;
    const inSome = (list: readonly unknown[]): Set<OwnType> =>
      new Set(list.filter(isNode).flatMap((member) => typeOf(member) ?? []));
    const all = inSome([...membersOf(allOf), referredTo(body, $ref)]);
    if (isNode(properties) && Object.hasOwn(properties, 'type'))
      all.add(isName(properties.type, name) ? 'name' : 'other');
    const forms = inSome([...membersOf(anyOf), ...membersOf(oneOf)]);
    const other = all.has('other') || forms.has('other') || (!all.has('name') && forms.size > 1);
    const own = other ? 'other' : all.has('name') || forms.has('name') ? 'name' : 'none';
    known.set(schema, own);
    return own;
  };
  return typeOf(body) ?? 'none';
}

function membersOf(list: unknown): readonly unknown[] {
  return Array.isArray(list) ? list : [];
}

/** Whether the only text that fits is the name. */
function isName(schema: unknown, name: string): boolean {
  if (!isNode(schema)) return false;
  const { const: only, enum: several, allOf, anyOf, oneOf } = schema;
  if (membersOf(allOf).some((member) => isName(member, name))) return true;
  const members = [...membersOf(anyOf), ...membersOf(oneOf)].filter((member) => !isNull(member));
  if (members.length > 0) return members.every((member) => isName(member, name));
  return (
    only === name ||
    (Array.isArray(several) && several.length > 0 && several.every((value) => value === name))
  );
}

function isNull(schema: unknown): boolean {
  return isNode(schema) && schema.type === 'null';
}

/** Whether every value that fits is an object. */
export function isObjectBody(body: SchemaNode): boolean {
  const known = new Map<SchemaNode, boolean>();
  const isObject = (schema: unknown): boolean => {
    if (!isNode(schema)) return false;
    const before = known.get(schema);
    if (before !== undefined) return before;
    // A circular reference changes nothing: the other parts decide.
    known.set(schema, true);
    const { allOf, anyOf, oneOf, $ref } = schema;
    const answer =
      isObjectSchema(schema) ||
      membersOf(allOf).some(isObject) ||
      isObject(referredTo(body, $ref)) ||
      [anyOf, oneOf].some((members) => Array.isArray(members) && members.every(isObject));
    known.set(schema, answer);
    return answer;
  };
  return isObject(body);
}

/** Keywords that stay true if the type becomes one more property. */
const OF_NAMED_PROPERTIES: ReadonlySet<string> = new Set([
  'type', 'properties', 'required', 'additionalProperties', 'anyOf', 'oneOf', '$defs', 'definitions', '$id', '$anchor', '$schema',
  '$comment', 'title', 'description', 'default', 'examples', 'deprecated', 'readOnly', 'writeOnly',
]); // biome-ignore format: a list of names reads best as a block

/**
 * Whether checking a body without its type and the same body with its type gives the same result. Records and
 * refinements would count the type as one of the body's own properties.
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
export function isNoObject(body: SchemaNode): boolean {
  const known = new Set<SchemaNode>();
  const never = (schema: unknown): boolean => {
    // A circular reference adds nothing.
    if (!isNode(schema) || known.has(schema)) return false;
    known.add(schema);
    const { type, enum: values, allOf, anyOf, oneOf } = schema;
    if (type !== undefined) return ![type].flat().includes('object');
    if ('const' in schema) return !isNode(schema.const);
    if (Array.isArray(values)) return !values.some(isNode);
    return (
      membersOf(allOf).some(never) ||
      [anyOf, oneOf].some((members) => membersOf(members).length > 0 && membersOf(members).every(never))
    );
  };
  return never(body);
}
