import { isPromise } from '../vocabulary/decision.ts';
import type { SchemaNode } from '../wire/envelope.ts';
import { isRecord } from '../wire/incoming.ts';
import { ofValibot } from './declared-valibot.ts';
import { ofZod } from './declared-zod.ts';
import { documentOf, pathOf, type StandardSchema } from './standard-schema.ts';

/**
 * A rough JSON Schema of a body whose schema belongs to another library: its type, the members of a union, and its properties,
 * at least `type`. What the library does not reveal is left out. `name` is the type of the message.
 */
export function declaredBody(schema: StandardSchema, name: string | undefined): SchemaNode {
  const declared = revealed(schema, name);
  return name === undefined || Object.keys(declared).length > 0 ? declared : probedBody(schema, name);
}

function revealed(schema: StandardSchema, name: string | undefined): SchemaNode {
  const { vendor } = schema['~standard'];
  try {
    if (vendor === 'zod') return ofZod(schema);
    if (vendor === 'valibot') return ofValibot(schema);
    if (vendor === 'joi') return ofDescription(describe(schema));
    // A lazy schema of yup is chosen by the value.
    if (vendor === 'yup') return ofDescription(describe(schema, { value: { type: name } }));
  } catch {
    // The schema belongs to a version of the library with another structure.
  }
  return documentOf(schema, true) ?? {};
}

/**
 * Finds out by trying whether the schema describes a property `type`, for libraries that do not tell: what it says of bodies
 * with the message's name, with another one, and without any.
 */
function probedBody(schema: StandardSchema, name: string): SchemaNode {
  const refuses = (key: string, body: object): boolean => {
    try {
      const result = schema['~standard'].validate(body);
      if (!isPromise(result)) return result.issues?.some((issue) => pathOf(issue)[0] === key) ?? false;
      Promise.resolve(result).catch(() => undefined);
    } catch {
      // A refinement of the application that expects a complete body.
    }
    return false;
  };
  const other = `${name}?`;
  // A record describes all names.
  if (refuses(other, { [other]: name })) return {};
  if (refuses('type', { type: name })) return withProperty({ type: 'never' });
  return refuses('type', {}) || refuses('type', { type: other }) ? withProperty({ const: name }) : {};
}

type Part = Readonly<Record<string, unknown>>;

function describe(schema: StandardSchema, options?: object): unknown {
  const { describe: tell } = schema as { readonly describe?: (options?: object) => unknown };
  return typeof tell === 'function' ? tell.call(schema, options) : undefined;
}

/** Reads the result of `describe()`, which is similar in joi and yup. */
function ofDescription(part: unknown): SchemaNode {
  if (!isRecord(part)) return {};
  const { type, keys, fields, flags, allow, oneOf } = part;
  if (isRecord(flags) && flags.presence === 'forbidden') return { type: 'never' };
  if (isRecord(flags) && flags.only === true && Array.isArray(allow))
    return { enum: allow.filter((value) => !isRecord(value)) };
  if (Array.isArray(oneOf) && oneOf.length > 0) return { enum: oneOf };
  if (type === 'alternatives') return { anyOf: formsOfJoi(part).map(ofDescription) };
  const properties = keys ?? fields;
  if (isRecord(properties))
    return withProperty('type' in properties ? ofDescription(properties.type) : undefined);
  return type === 'object' ? withProperty(undefined) : simple(type);
}

function formsOfJoi({ matches }: Part): unknown[] {
  if (!Array.isArray(matches)) return [];
  return matches.map((match: unknown) => (isRecord(match) ? match.schema : undefined));
}

function withProperty(type: SchemaNode | undefined): SchemaNode {
  return { type: 'object', properties: type === undefined ? {} : { type } };
}

/** A JSON Schema for types that exclude objects; otherwise `{}`. joi and yup make dates and others from texts and numbers. */
function simple(type: unknown): SchemaNode {
  return typeof type === 'string' && SIMPLE.has(type) ? { type: SIMPLE.get(type) } : {};
}

const SIMPLE: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['string', 'string'],
  ['number', 'number'],
  ['boolean', ['boolean', 'string']],
  ['date', ['string', 'number']],
  ['binary', ['string', 'array']],
  ['symbol', ['string', 'number']],
  ['array', 'array'],
  ['tuple', 'array'],
  ['null', 'null'],
  ['function', 'function'],
]);

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
