import type { SchemaNode } from '../wire/envelope.ts';
import { isNode } from './closed.ts';
import type { ValueBounds } from './parse.ts';

/** What says nothing about the shape of a value that passes, or only narrows it. */
const HARMLESS = new Set([
  'type', 'properties', 'required', 'additionalProperties', 'items', 'const', 'enum', 'title', 'description', 'default',
  'examples', 'minLength', 'maxLength', 'pattern', 'format', 'minItems', 'maxItems', 'uniqueItems', 'minimum', 'maximum',
  'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf', '$id', '$schema',
]); // biome-ignore format: a list of names reads best as a block

/** Names that only the walk through a value knows to be harmless. */
const POISONOUS: ReadonlySet<string> = new Set(['__proto__', 'constructor']);

/**
 * How many keys every value that passes this closed schema has, all objects together, if no value that passes can
 * break a bound of its own accord: no optional keys, no unions, no open objects, no unbounded numbers. The length of an
 * array and of a text is bounded by the message's own.
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
      // So many elements, so many times their keys.
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
