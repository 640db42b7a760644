import type { SchemaNode } from '../wire/envelope.ts';
import { isRecord } from '../wire/incoming.ts';

/** What a schema of zod holds: `_zod.def` in zod 4 and zod/mini, `_def` in zod 3. */
type Definition = Readonly<Record<string, unknown>>;

/**
 * Reads a schema of zod by its definition, because zod 3, zod/mini and early versions of zod 4 give no JSON Schema. The result is a
 * rough JSON Schema of the input; what cannot be known is left out.
 */
export function ofZod(schema: unknown, known = new Map<unknown, SchemaNode>()): SchemaNode {
  const seen = known.get(schema);
  if (seen !== undefined) return seen;
  const definition = definitionOf(schema);
  if (definition === undefined) return {};
  // Set before the parts are read, since a schema may refer to itself.
  const node: Record<string, unknown> = {};
  known.set(schema, node);
  return Object.assign(
    node,
    nodeOf(definition, (inner) => ofZod(inner, known)),
  );
}

function nodeOf(definition: Definition, read: (inner: unknown) => SchemaNode): SchemaNode {
  if (definition.coerce === true) return {};
  const kind = kindOf(definition);
  switch (kind) {
    case 'object':
      return objectNode(shapeOf(definition), read);
    case 'record':
      return { type: 'object' };
    case 'union':
    case 'discriminatedunion':
      return { anyOf: listOf(definition.options).map(read) };
    case 'intersection':
      return { allOf: [read(definition.left), read(definition.right)] };
    case 'literal':
      return valuesNode('values' in definition ? listOf(definition.values) : [definition.value]);
    case 'enum':
    case 'nativeenum':
      return valuesNode(listOf(definition.entries ?? definition.values));
    case 'nullable':
      return { anyOf: [read(definition.innerType), { type: 'null' }] };
    case 'tuple':
      return { type: 'array' };
    case 'int':
      return { type: 'number' };
    default: {
      const inner = innerOf(kind, definition);
      if (inner !== undefined) return read(inner);
      return CONCRETE.has(kind) ? { type: kind } : {};
    }
  }
}

function objectNode(shape: Definition, read: (inner: unknown) => SchemaNode): SchemaNode {
  const properties = Object.fromEntries(Object.entries(shape).map(([name, inner]) => [name, read(inner)]));
  const required = Object.keys(shape).filter((name) => !mayBeAbsent(shape[name], 0));
  return { type: 'object', properties, required };
}

/** Kinds that stand for one type of value. No message holds a value of the types that JSON does not have. */
const CONCRETE: ReadonlySet<string> = new Set([
  'string', 'number', 'boolean', 'null', 'array', 'bigint', 'date', 'map', 'set', 'symbol', 'undefined', 'void', 'never', 'nan', 'file',
  'function',
]); // biome-ignore format: a list of names reads best as a block

/** The schema that sees the input of one that wraps it. */
function innerOf(kind: string, definition: Definition): unknown {
  if (kind === 'lazy') return typeof definition.getter === 'function' ? definition.getter() : undefined;
  if (kind === 'pipe' || kind === 'pipeline') return definition.in;
  if (kind === 'branded') return definition.type;
  if (kind !== 'effects') return WRAPPERS.has(kind) ? definition.innerType : undefined;
  return isRecord(definition.effect) && definition.effect.type === 'preprocess'
    ? undefined
    : definition.schema;
}

const WRAPPERS: ReadonlySet<string> = new Set(['optional', 'default', 'prefault', 'nonoptional', 'readonly']);
/** Kinds that take a property that is not there. */
const ABSENT: ReadonlySet<string> = new Set([
  'optional', 'default', 'prefault', 'catch', 'undefined', 'void', 'any', 'unknown', 'custom', 'transform', 'promise',
]); // biome-ignore format: a list of names reads best as a block

/** A chain of wrappers is never long, except in a schema that wraps itself. */
const WRAPPED = 100;

function mayBeAbsent(schema: unknown, depth: number): boolean {
  const definition = definitionOf(schema);
  if (definition === undefined || depth > WRAPPED || definition.coerce === true) return true;
  const kind = kindOf(definition);
  if (ABSENT.has(kind)) return true;
  if (kind === 'union') return listOf(definition.options).some((one) => mayBeAbsent(one, depth + 1));
  if (kind === 'literal') return listOf(definition.values).includes(undefined);
  if (kind === 'effects' && innerOf(kind, definition) === undefined) return true;
  const inner = kind === 'nullable' ? definition.innerType : innerOf(kind, definition);
  return inner !== undefined && kind !== 'nonoptional' && mayBeAbsent(inner, depth + 1);
}

function definitionOf(schema: unknown): Definition | undefined {
  const { _zod, _def } = (schema ?? {}) as {
    readonly _zod?: { readonly def?: unknown };
    readonly _def?: unknown;
  };
  const definition = _zod?.def ?? _def;
  return isRecord(definition) ? definition : undefined;
}

/** `'object'` for zod 4's `object` and zod 3's `ZodObject`. */
function kindOf({ type, typeName }: Definition): string {
  if (typeof typeName === 'string') return typeName.replace(/^Zod/, '').toLowerCase();
  return typeof type === 'string' ? type : '';
}

function shapeOf({ shape }: Definition): Definition {
  const read: unknown = typeof shape === 'function' ? shape() : shape;
  return isRecord(read) ? read : {};
}

function valuesNode(values: readonly unknown[]): SchemaNode {
  return { enum: values };
}

function listOf(values: unknown): readonly unknown[] {
  if (Array.isArray(values)) return values;
  if (values instanceof Map) return [...values.values()];
  return isRecord(values) ? Object.values(values) : [];
}
