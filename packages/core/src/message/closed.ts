import type { SchemaNode } from '../wire/envelope.ts';
import { isRecord } from '../wire/incoming.ts';
import { KEYWORDS, type Role } from './schema-keywords.ts';

/**
 * Closes every object that does not mention further properties, and every list of items without an end. A `part`
 * describes an object together with other schemas, so only the whole is closed.
 */
export function close(schema: SchemaNode, part = false): SchemaNode {
  const composite = isComposite(schema);
  const changes = mapSchemas(schema, (inner, role) => {
    if (role === 'same') return close(inner, part || composite);
    return role === 'inner' || role === 'definition' ? close(inner) : inner;
  });
  // A constant needs no closing.
  const open = !CLOSING.some((keyword) => schema[keyword] !== undefined);
  if (!part && open && composite) changes.unevaluatedProperties = false;
  else if (!part && open && isObjectSchema(schema)) changes.additionalProperties = false;
  const end = composite || part ? undefined : openEnd(schema);
  if (end !== undefined) changes[end] = false;
  return changed(schema, changes);
}

const CLOSING = ['additionalProperties', 'unevaluatedProperties', 'const', 'enum'];

/** Whether several schemas together describe one object. In a plain union, each member describes it alone. */
export function isComposite(schema: SchemaNode): boolean {
  if (Array.isArray(schema.allOf)) return true;
  return isObjectSchema(schema) && BESIDE_PROPERTIES.some((keyword) => keyword in schema);
}

const BESIDE_PROPERTIES = ['anyOf', 'oneOf', 'if', 'dependentSchemas', 'dependencies'];

export function isObjectSchema({ type, properties, patternProperties }: SchemaNode): boolean {
  const named = Array.isArray(type) ? type.includes('object') : type === 'object';
  return named || (type === undefined && (properties !== undefined || patternProperties !== undefined));
}

/** The missing keyword that says what may follow the listed items. */
export function openEnd(schema: SchemaNode): 'items' | 'additionalItems' | undefined {
  const { items, prefixItems, additionalItems, unevaluatedItems } = schema;
  if (unevaluatedItems !== undefined) return undefined;
  if (Array.isArray(items)) return additionalItems === undefined ? 'additionalItems' : undefined;
  return Array.isArray(prefixItems) && items === undefined ? 'items' : undefined;
}

export function isNode(value: unknown): value is SchemaNode {
  return isRecord(value);
}

/** Copies hidden properties as well, in which TypeBox keeps refinements. */
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

export function mapInner(schema: SchemaNode, map: (inner: SchemaNode) => SchemaNode): SchemaNode {
  return changed(schema, mapSchemas(schema, map));
}

function mapSchemas(
  schema: SchemaNode,
  map: (inner: SchemaNode, role: Role) => SchemaNode,
): Record<string, unknown> {
  const changes: Record<string, unknown> = {};
  for (const [keyword, value] of Object.entries(schema)) {
    const { role, holds } = KEYWORDS.get(keyword) ?? {};
    if (role === undefined) continue;
    const mapped = (inner: unknown): unknown => (isNode(inner) ? map(inner, role) : inner);
    if (Array.isArray(value)) changes[keyword] = value.map(mapped);
    else if (holds === 'schema' || holds === 'items') changes[keyword] = mapped(value);
    else if (isNode(value)) changes[keyword] = mapValues(value, mapped);
  }
  return changes;
}

function mapValues(record: SchemaNode, map: (value: unknown) => unknown): SchemaNode {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value)]));
}
