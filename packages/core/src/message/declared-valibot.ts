import type { SchemaNode } from '../wire/envelope.ts';
import { isRecord } from '../wire/incoming.ts';

/** A schema of valibot, which is a plain object with its kind in `type`. */
type Part = Readonly<Record<string, unknown>>;

/** How many parts are read. A lazy schema may make a new schema each time, without an end. */
const PARTS = 5_000;

interface Reading {
  readonly known: Map<unknown, SchemaNode>;
  left: number;
}

/** Reads a schema of valibot as a rough JSON Schema of the input; what cannot be known is left out. */
export function ofValibot(part: unknown, reading: Reading = { known: new Map(), left: PARTS }): SchemaNode {
  const seen = reading.known.get(part);
  if (seen !== undefined) return seen;
  if (!isRecord(part) || reading.left-- <= 0) return {};
  // Set before the parts are read, since a schema may refer to itself.
  const node: Record<string, unknown> = {};
  reading.known.set(part, node);
  return Object.assign(
    node,
    nodeOf(part, (inner) => ofValibot(inner, reading)),
  );
}

function nodeOf(part: Part, read: (inner: unknown) => SchemaNode): SchemaNode {
  const { type, entries, options, wrapped, literal, getter, pipe } = part;
  if (Array.isArray(pipe)) return pipeNode(part, pipe, read);
  if (type === 'lazy') return typeof getter === 'function' ? read(getter(undefined)) : {};
  if (type === 'literal') return { enum: [literal] };
  if (type === 'picklist' || type === 'enum') return { enum: options };
  if (type === 'nullable' || type === 'nullish') return { anyOf: [read(wrapped), { type: 'null' }] };
  if (isRecord(wrapped)) return read(wrapped);
  if (Array.isArray(options)) return { [type === 'intersect' ? 'allOf' : 'anyOf']: options.map(read) };
  if (isRecord(entries)) return objectNode(entries, read);
  if (type === 'record') return { type: 'object' };
  return typeof type === 'string' && CONCRETE.has(type) ? { type: TYPES.get(type) ?? type } : {};
}

/** What a pipe asks of the input: all its schemas up to the first transformation. */
function pipeNode(part: Part, pipe: readonly unknown[], read: (inner: unknown) => SchemaNode): SchemaNode {
  const steps = pipe.map((step) => (isRecord(step) ? step : {}));
  const transformed = steps.findIndex(({ kind }) => kind === 'transformation');
  const before = transformed === -1 ? steps : steps.slice(0, transformed);
  const schemas = before.filter((step) => step.kind === 'schema' && step !== part);
  const [only] = schemas;
  return schemas.length === 1 ? read(only) : { allOf: schemas.map(read) };
}

function objectNode(entries: Part, read: (inner: unknown) => SchemaNode): SchemaNode {
  const properties = Object.fromEntries(Object.entries(entries).map(([name, inner]) => [name, read(inner)]));
  return {
    type: 'object',
    properties,
    required: Object.keys(entries).filter((name) => isNeeded(entries[name])),
  };
}

/** Whether the property must be there. */
function isNeeded(part: unknown): boolean {
  if (!isRecord(part)) return false;
  return !(OPTIONAL.has(part.type) || 'fallback' in part || 'default' in part);
}

const OPTIONAL: ReadonlySet<unknown> = new Set(['optional', 'exact_optional', 'nullish', 'undefinedable']);
const TYPES: ReadonlyMap<string, string> = new Map([
  ['tuple', 'array'],
  ['loose_tuple', 'array'],
  ['strict_tuple', 'array'],
  ['tuple_with_rest', 'array'],
]);
/** Kinds that stand for one type of value. No message holds a value of the types that JSON does not have. */
const CONCRETE: ReadonlySet<string> = new Set([
  'string', 'number', 'boolean', 'null', 'array', ...TYPES.keys(), 'bigint', 'date', 'map', 'set', 'symbol', 'undefined', 'void', 'never',
  'nan', 'file', 'blob', 'function', 'promise',
]); // biome-ignore format: a list of names reads best as a block
