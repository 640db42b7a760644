import type { SchemaNode } from '../wire/envelope.ts';
import { isNode } from './closed.ts';
import type { ValueBounds } from './parse.ts';

/** Keywords that do not change the number of keys, or only restrict values. */
const HARMLESS = new Set([
  'type', 'properties', 'required', 'additionalProperties', 'items', 'const', 'enum', 'title', 'description', 'default',
  'examples', 'minLength', 'maxLength', 'pattern', 'format', 'minItems', 'maxItems', 'uniqueItems', 'minimum', 'maximum',
  'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf', '$id', '$schema',
]); // biome-ignore format: a list of names reads best as a block

/** Only a walk through the value finds these names. */
const POISONOUS: ReadonlySet<string> = new Set(['__proto__', 'constructor']);

/**
 * The number of keys of every value that fits this closed schema, over all objects, if it is constant and no such
 * value can exceed a bound: no optional keys, unions, open objects or unbounded numbers. The message's size bounds
 * arrays and texts.
 */
export function fixedKeys(schema: SchemaNode, bounds: ValueBounds): number | undefined {
  const keys = keysOf(schema, bounds, bounds.depth);
  return keys !== undefined && keys <= bounds.keys ? keys : undefined;
}

function keysOf(schema: SchemaNode, bounds: ValueBounds, depth: number): number | undefined {
  if (Object.keys(schema).some((keyword) => !HARMLESS.has(keyword))) return undefined;
  if ('const' in schema) return isBoundedLeaf(schema.const, bounds) ? 0 : undefined;
  if (Array.isArray(schema.enum)) {
    return schema.enum.every((value) => isBoundedLeaf(value, bounds)) ? 0 : undefined;
  }
  switch (schema.type) {
    case 'string':
    case 'boolean':
    case 'null':
      return 0;
    case 'integer':
    case 'number':
      return isBoundedNumber(schema, bounds) ? 0 : undefined;
    case 'array':
      // Elements with keys would make the number depend on the array's length.
      return isNode(schema.items) && depth > 0 && keysOf(schema.items, bounds, depth - 1) === 0
        ? 0
        : undefined;
    case 'object':
      return depth > 0 ? objectKeys(schema, bounds, depth) : undefined;
    default:
      return undefined;
  }
}

function objectKeys(schema: SchemaNode, bounds: ValueBounds, depth: number): number | undefined {
  const { properties = {}, required = [], additionalProperties } = schema;
  if (additionalProperties !== false || !isNode(properties)) return undefined;
  let total = 0;
  for (const [name, inner] of Object.entries(properties)) {
    if (!(required as readonly string[]).includes(name) || POISONOUS.has(name)) return undefined;
    const keys = isNode(inner) ? keysOf(inner, bounds, depth - 1) : undefined;
    if (keys === undefined) return undefined;
    total += 1 + keys;
  }
  return total;
}

function isBoundedLeaf(value: unknown, bounds: ValueBounds): boolean {
  return typeof value === 'number' ? Math.abs(value) <= bounds.number : Object(value) !== value;
}

function isBoundedNumber(
  { minimum, exclusiveMinimum, maximum, exclusiveMaximum }: SchemaNode,
  { number }: ValueBounds,
): boolean {
  const lower = (minimum ?? exclusiveMinimum) as number;
  const upper = (maximum ?? exclusiveMaximum) as number;
  return lower >= -number && upper <= number;
}
