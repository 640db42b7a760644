import type { SchemaNode } from '../wire/envelope.ts';
import { isRecord } from '../wire/incoming.ts';
import { documentOf, type StandardSchema } from './standard-schema.ts';

/**
 * What another library's schema says of a body, as JSON Schema: of which type it is, its forms, and its property `type`. Of what
 * cannot be found out it says nothing.
 */
export function declaredBody(schema: StandardSchema): SchemaNode {
  const { vendor } = schema['~standard'];
  if (vendor === 'valibot') return ofValibot(schema);
  if (vendor === 'joi' || vendor === 'yup') return ofDescription(describe(schema));
  return documentOf(schema, true) ?? {};
}

type Part = Readonly<Record<string, unknown>>;

/** Schemas of valibot are plain objects, and tell what they are in `type`. */
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

/** Descriptions of joi and yup, which resemble each other. */
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

/** Of the types that no object is of. */
function simple(type: unknown): SchemaNode {
  return SIMPLE.has(type) ? { type } : {};
}

/** Where joi would hand on what nothing describes: in an object without keys, and where its preferences say so. */
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
