import { isNode } from '../message/closed.ts';
import type { SchemaNode } from '../wire/envelope.ts';
import { onlyNames } from './property-names.ts';

/** The only place that references lead to. */
export const SCHEMAS = '#/components/schemas/';

/** Keywords of draft-07 without schemas in them. Other keywords of a policy's schemas are left out. */
const ANNOTATIONS = new Set([
  'title', 'description', 'default', 'examples', 'enum', 'const', 'format', 'pattern', 'minLength', 'maxLength', 'minimum',
  'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf', 'minItems', 'maxItems', 'uniqueItems', 'required',
  'minProperties', 'maxProperties', 'readOnly', 'writeOnly', 'deprecated', 'contentEncoding', 'contentMediaType',
]); // biome-ignore format: a list of names reads best as a block
const EXTENSION = /^x-[\w.-]+$/;
const SINGLE = ['not', 'if', 'then', 'else', 'contains', 'propertyNames', 'additionalProperties'];
const LISTS = ['allOf', 'anyOf', 'oneOf'];
const RECORDS = ['properties', 'patternProperties'];
const TYPES = ['object', 'array', 'string', 'number', 'integer', 'boolean', 'null'];

/**
 * A schema as AsyncAPI 3.0 has it, in JSON Schema draft-07. Later keywords are translated. What draft-07 cannot
 * express exactly becomes less strict.
 */
export function portable(schema: SchemaNode): SchemaNode {
  const { $ref, ...rest } = schema;
  const said = withoutReference(rest);
  // A client cannot follow a reference to another place.
  if (typeof $ref !== 'string' || !$ref.startsWith(SCHEMAS)) return said;
  // Draft-07 ignores keywords beside a reference.
  return Object.keys(said).length === 0 ? { $ref } : { allOf: [{ $ref }, said] };
}

function withoutReference(schema: SchemaNode): SchemaNode {
  const said: SchemaNode = { ...typesOf(schema.type) };
  for (const [keyword, value] of Object.entries(schema)) {
    if (!ANNOTATIONS.has(keyword) && !EXTENSION.test(keyword)) continue;
    const json = jsonOf(value);
    if (json !== undefined) said[keyword] = json;
  }
  for (const keyword of SINGLE) if (isSchema(schema[keyword])) said[keyword] = inner(schema[keyword]);
  for (const keyword of LISTS) Object.assign(said, listOf(keyword, schema[keyword]));
  for (const keyword of RECORDS) {
    if (isNode(schema[keyword])) said[keyword] = recordOf(schema[keyword]);
  }
  return { ...said, ...itemsOf(schema), ...dependenciesOf(schema), ...onlyNames(schema, said.propertyNames) };
}

function isSchema(value: unknown): boolean {
  return typeof value === 'boolean' || isNode(value);
}

function inner(schema: unknown): unknown {
  return isNode(schema) ? portable(schema) : schema;
}

function listOf(keyword: string, list: unknown): SchemaNode {
  if (!Array.isArray(list)) return {};
  if (list.length > 0) return { [keyword]: list.map(inner) };
  return keyword === 'allOf' ? {} : { not: {} };
}

function recordOf(record: SchemaNode): SchemaNode {
  return Object.fromEntries(Object.entries(record).map(([name, schema]) => [name, inner(schema)]));
}

/** JSON has no types of other languages, such as TypeBox's `bigint`. */
function typesOf(type: unknown): SchemaNode {
  const known = [type].flat().filter((name) => TYPES.includes(name as string));
  if (known.length === 0) return {};
  return { type: Array.isArray(type) ? known : known[0] };
}

/** Tuples of draft 2020-12 or of earlier drafts. */
function itemsOf({ prefixItems, items, additionalItems }: SchemaNode): SchemaNode {
  const tuple = Array.isArray(prefixItems) ? prefixItems : Array.isArray(items) ? items : [];
  const rest = Array.isArray(items) ? additionalItems : items;
  const others = isSchema(rest) ? inner(rest) : undefined;
  if (tuple.length === 0) return others === undefined ? {} : { items: others };
  return { items: tuple.map(inner), ...(others !== undefined && { additionalItems: others }) };
}

function dependenciesOf({ dependencies, dependentRequired, dependentSchemas }: SchemaNode): SchemaNode {
  const all = new Map<string, unknown>();
  for (const record of [dependencies, dependentRequired, dependentSchemas].filter(isNode)) {
    for (const [name, value] of Object.entries(record)) {
      const schema = Array.isArray(value) ? { required: value } : inner(value);
      all.set(name, all.has(name) ? { allOf: [all.get(name), schema] } : schema);
    }
  }
  return all.size === 0 ? {} : { dependencies: Object.fromEntries(all) };
}

/** `undefined` for a value that JSON cannot express. */
function jsonOf(value: unknown): unknown {
  try {
    const text = JSON.stringify(value) as string | undefined;
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
