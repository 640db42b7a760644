import type { SchemaNode } from '../wire/envelope.ts';
import { isRecord } from '../wire/incoming.ts';
import { documentOf, type StandardSchema } from './standard-schema.ts';

/**
 * A rough JSON Schema of a body whose schema belongs to another library: its type, the members of a union, and its property
 * `type`. What the library does not reveal is left out.
 */
export function declaredBody(schema: StandardSchema): SchemaNode {
  const { vendor } = schema['~standard'];
  if (vendor === 'valibot') return ofValibot(schema);
  if (vendor === 'joi' || vendor === 'yup') return ofDescription(describe(schema));
  return documentOf(schema, true) ?? {};
}

type Part = Readonly<Record<string, unknown>>;

/** Reads a schema of valibot, which is a plain object with its kind in `type`. */
function ofValibot(part: unknown): SchemaNode {
  if (!isRecord(part)) return {};
  const { type, entries, options, wrapped, literal } = part;
  if (type === 'literal') return { const: literal };
  if (type === 'picklist' || type === 'enum') return { enum: options };
  if (isRecord(wrapped)) return ofValibot(wrapped);
  if (Array.isArray(options)) return { [type === 'intersect' ? 'allOf' : 'anyOf']: options.map(ofValibot) };
  if (isRecord(entries)) return withProperty('type' in entries ? ofValibot(entries.type) : undefined);
  return simple(type);
}

function describe(schema: StandardSchema): unknown {
  const { describe: tell } = schema as { readonly describe?: () => unknown };
  return typeof tell === 'function' ? tell.call(schema) : undefined;
}

/** Reads the result of `describe()`, which is similar in joi and yup. */
function ofDescription(part: unknown): SchemaNode {
  if (!isRecord(part)) return {};
  const { type, keys, fields, flags, allow, oneOf } = part;
  if (isRecord(flags) && flags.only === true && Array.isArray(allow))
    return { enum: allow.filter((value) => !isRecord(value)) };
  if (Array.isArray(oneOf) && oneOf.length > 0) return { enum: oneOf };
  if (type === 'alternatives') return { anyOf: formsOfJoi(part).map(ofDescription) };
  const properties = keys ?? fields;
  if (isRecord(properties))
    return withProperty('type' in properties ? ofDescription(properties.type) : undefined);
  return simple(type);
}

function formsOfJoi({ matches }: Part): unknown[] {
  if (!Array.isArray(matches)) return [];
  return matches.map((match: unknown) => (isRecord(match) ? match.schema : undefined));
}

function withProperty(type: SchemaNode | undefined): SchemaNode {
  return { type: 'object', properties: type === undefined ? {} : { type } };
}

const SIMPLE: ReadonlySet<unknown> = new Set([
  'string',
  'number',
  'boolean',
  'bigint',
  'date',
  'array',
  'tuple',
  'null',
]);

/** A JSON Schema for types that exclude objects; otherwise `{}`. */
function simple(type: unknown): SchemaNode {
  return SIMPLE.has(type) ? { type } : {};
}

/**
 * The path of the first place where joi would keep unknown properties: an object without keys, or a preference that allows
 * them.
 */
export function openPlaceOfJoi(schema: StandardSchema): readonly PropertyKey[] | undefined {
  return openPlace(describe(schema), []);
}

function openPlace(part: unknown, path: readonly PropertyKey[]): readonly PropertyKey[] | undefined {
  if (!isRecord(part)) return undefined;
  const { type, keys, patterns, flags, preferences } = part;
  const isOpen = isRecord(flags) && flags.unknown === true;
  if (type === 'object' && keys === undefined && patterns === undefined && !isOpen) return path;
  if (isRecord(preferences) && ('allowUnknown' in preferences || 'stripUnknown' in preferences)) return path;
  for (const [name, inner] of innerOfJoi(part)) {
    const found = openPlace(inner, name === undefined ? path : [...path, name]);
    if (found !== undefined) return found;
  }
  return undefined;
}

function innerOfJoi(part: Part): [name: PropertyKey | undefined, inner: unknown][] {
  const { keys } = part;
  const lists = ['items', 'ordered', 'matches', 'patterns', 'whens', 'switch'].map((name) => part[name]);
  const single = ['schema', 'then', 'otherwise', 'rule'].map((name) => part[name]);
  const unnamed = [...lists.filter(Array.isArray).flat(), ...single];
  return [
    ...(isRecord(keys) ? Object.entries(keys) : []),
    ...unnamed.map((inner): [undefined, unknown] => [undefined, inner]),
  ];
}
