import { Format } from 'typebox/format';
import { PolicyError } from '../vocabulary/policy-error.ts';
import type { SchemaNode } from '../wire/envelope.ts';
import { isRecord } from '../wire/incoming.ts';

/** Keywords whose schemas say more about the same value, by what they hold. */
const SAME_VALUE = {
  lists: ['allOf', 'anyOf', 'oneOf'],
  records: ['dependentSchemas'],
  single: ['then', 'else'],
} as const;
/** Keywords whose schemas are about values inside this one. */
const INNER = {
  lists: ['items', 'prefixItems'],
  records: ['properties', 'patternProperties', '$defs', 'definitions'],
  single: ['items', 'additionalItems', 'unevaluatedItems', 'additionalProperties', 'unevaluatedProperties'],
} as const;
/** Keywords that ask about a value: closing what is asked would turn the answer round, so it is only looked at. */
const QUESTIONS = ['not', 'if', 'contains', 'propertyNames'];

/**
 * Closes every object in the schema that leaves the question of further properties open. A `part` describes an
 * object together with others and must not close itself, since it would refuse the others' properties: the whole does.
 * Without an option to complain about, nothing is refused: that is for documents of what others check.
 */
export function close(schema: SchemaNode, option: string | undefined, part = false): SchemaNode {
  if (option !== undefined) refuseUnsupported(schema, option);
  const composite = isComposite(schema);
  const changes: SchemaNode = {};
  mapSchemas(schema, INNER, changes, (inner) => close(inner, option));
  mapSchemas(schema, SAME_VALUE, changes, (same) => close(same, option, part || composite));
  for (const keyword of QUESTIONS) if (isNode(schema[keyword])) close(schema[keyword], option);
  const open = schema.additionalProperties === undefined && schema.unevaluatedProperties === undefined;
  if (!part && open && composite) changes.unevaluatedProperties = false;
  else if (!part && open && isObjectSchema(schema)) changes.additionalProperties = false;
  return changed(schema, changes);
}

/** Whether several schemas together describe one object. A plain union is none: each of its members is a whole. */
export function isComposite(schema: SchemaNode): boolean {
  if (Array.isArray(schema.allOf)) return true;
  return (
    isObjectSchema(schema) &&
    ['anyOf', 'oneOf', 'if', 'dependentSchemas'].some((keyword) => keyword in schema)
  );
}

export function isObjectSchema({ type, properties, patternProperties }: SchemaNode): boolean {
  const named = Array.isArray(type) ? type.includes('object') : type === 'object';
  return named || (type === undefined && (properties !== undefined || patternProperties !== undefined));
}

function mapSchemas(
  schema: SchemaNode,
  keywords: Readonly<Record<'lists' | 'records' | 'single', readonly string[]>>,
  changes: SchemaNode,
  map: (inner: SchemaNode) => SchemaNode,
): void {
  const mapped = (inner: unknown): unknown => (isNode(inner) ? map(inner) : inner);
  for (const keyword of keywords.lists) {
    const list = schema[keyword];
    if (Array.isArray(list)) changes[keyword] = list.map(mapped);
  }
  for (const keyword of keywords.records) {
    const record = schema[keyword];
    if (!isNode(record)) continue;
    changes[keyword] = Object.fromEntries(
      Object.entries(record).map(([name, inner]) => [name, mapped(inner)]),
    );
  }
  for (const keyword of keywords.single) {
    if (isNode(schema[keyword])) changes[keyword] = mapped(schema[keyword]);
  }
}

function refuseUnsupported(schema: SchemaNode, option: string): void {
  const { format } = schema;
  if (format !== undefined && !Format.Has(String(format))) {
    throw new PolicyError(
      option,
      `the format '${String(format)}' is unknown, so it would check nothing`,
      'Register it with typebox/format, or use a pattern.',
    );
  }
  if ('~codec' in schema) {
    throw new PolicyError(
      option,
      'it holds a codec, which would not be run',
      'Describe what is sent, and convert in the handler.',
    );
  }
}

export function isNode(value: unknown): value is SchemaNode {
  return isRecord(value);
}

/** A copy with some keywords replaced; TypeBox keeps refinements in hidden properties, which have to come along. */
export function changed(schema: SchemaNode, changes: SchemaNode): SchemaNode {
  const copy = Object.create(
    Object.getPrototypeOf(schema) as object,
    Object.getOwnPropertyDescriptors(schema),
  ) as SchemaNode;
  for (const [keyword, value] of Object.entries(changes)) {
    Object.defineProperty(copy, keyword, { value, enumerable: true, configurable: true, writable: true });
  }
  return copy;
}

/** Every schema inside this one, wherever it is, replaced by what `map` makes of it. */
export function mapInner(schema: SchemaNode, map: (inner: SchemaNode) => SchemaNode): SchemaNode {
  const changes: SchemaNode = {};
  mapSchemas(schema, INNER, changes, map);
  mapSchemas(schema, SAME_VALUE, changes, map);
  for (const keyword of QUESTIONS) if (isNode(schema[keyword])) changes[keyword] = map(schema[keyword]);
  return changed(schema, changes);
}
