import { Compile } from 'typebox/compile';
import { Format } from 'typebox/format';
import { PolicyError } from '../errors.ts';

/** A schema, compiled to one check. */
export interface Check {
  passes(value: unknown): boolean;
  /** Where the first mistake is, as a JSON Pointer (RFC 6901), and never what stood there. */
  pointer(value: unknown): string;
  /** Whether code could be generated; without it a check is some hundred times slower. */
  readonly accelerated: boolean;
}

type SchemaNode = { [keyword: string]: unknown };

/**
 * Compiles the body of a message. Objects that do not say otherwise are closed: a property that no schema names is
 * refused (OWASP: allow-list validation). The discriminating `type` is part of the check.
 */
export function compileSchema(schema: unknown, type: string, option: string): Check {
  if (typeof schema !== 'object' || schema === null) {
    throw new PolicyError(option, 'it is not a schema', 'Give Type.Object({ … }).');
  }
  const compiled = Compile(withType(close(schema as SchemaNode, option), type, option) as never);
  return {
    passes: (value) => compiled.Check(value),
    pointer: (value) => pointerOf(compiled.Errors(value)[0]),
    accelerated: compiled.IsAccelerated(),
  };
}

/** A record's keys are the sender's own words, so that the pointer has to be bounded. */
const MAX_POINTER = 200;

function pointerOf(error: { readonly keyword: string; readonly instancePath: string } | undefined): string {
  if (error === undefined) return '';
  const { keyword, instancePath } = error;
  // A property that must not be there: its name is content, too, so the object around it is told.
  const path = keyword === 'boolean' ? instancePath.slice(0, instancePath.lastIndexOf('/')) : instancePath;
  return path.slice(0, MAX_POINTER);
}

/** Adds `type` to every object that the message may be. */
function withType(schema: SchemaNode, type: string, option: string): SchemaNode {
  if (isObject(schema)) {
    refuseOwnType(schema, option);
    return changed(schema, {
      properties: { ...(schema.properties as object | undefined), type: { const: type } },
      required: [...((schema.required as string[] | undefined) ?? []), 'type'],
    });
  }
  if (Array.isArray(schema.allOf)) {
    for (const member of schema.allOf.filter(isNode)) refuseOwnType(member, option);
    return changed(schema, { allOf: [...schema.allOf, typeObject(type)] });
  }
  const keyword = Array.isArray(schema.anyOf) ? 'anyOf' : 'oneOf';
  const members = schema[keyword];
  if (!Array.isArray(members)) {
    throw new PolicyError(
      option,
      'the body of a message is not an object',
      'Wrap it: Type.Object({ value: … }).',
    );
  }
  return changed(schema, {
    [keyword]: members.map((member) => withType(member as SchemaNode, type, option)),
  });
}

function typeObject(type: string): SchemaNode {
  return { type: 'object', properties: { type: { const: type } }, required: ['type'] };
}

function refuseOwnType(schema: SchemaNode, option: string): void {
  if (Object.hasOwn((schema.properties as object | undefined) ?? {}, 'type')) {
    throw new PolicyError(
      option,
      "it has a property 'type' of its own",
      "Rename it: 'type' names the message.",
    );
  }
  for (const keyword of ['allOf', 'anyOf', 'oneOf']) {
    const members = schema[keyword];
    if (Array.isArray(members)) for (const member of members.filter(isNode)) refuseOwnType(member, option);
  }
}

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
 */
function close(schema: SchemaNode, option: string, part = false): SchemaNode {
  refuseUnsupported(schema, option);
  const composite = isComposite(schema);
  const changes: SchemaNode = {};
  mapSchemas(schema, INNER, changes, (inner) => close(inner, option));
  mapSchemas(schema, SAME_VALUE, changes, (same) => close(same, option, part || composite));
  for (const keyword of QUESTIONS) if (isNode(schema[keyword])) close(schema[keyword], option);
  const open = schema.additionalProperties === undefined && schema.unevaluatedProperties === undefined;
  if (!part && open && composite) changes.unevaluatedProperties = false;
  else if (!part && open && isObject(schema)) changes.additionalProperties = false;
  return changed(schema, changes);
}

/** Whether several schemas together describe one object. A plain union is none: each of its members is a whole. */
function isComposite(schema: SchemaNode): boolean {
  if (Array.isArray(schema.allOf)) return true;
  return (
    isObject(schema) && ['anyOf', 'oneOf', 'if', 'dependentSchemas'].some((keyword) => keyword in schema)
  );
}

function isObject({ type, properties, patternProperties }: SchemaNode): boolean {
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

function isNode(value: unknown): value is SchemaNode {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A copy with some keywords replaced; TypeBox keeps refinements in hidden properties, which have to come along. */
function changed(schema: SchemaNode, changes: SchemaNode): SchemaNode {
  const copy = Object.create(
    Object.getPrototypeOf(schema) as object,
    Object.getOwnPropertyDescriptors(schema),
  ) as SchemaNode;
  for (const [keyword, value] of Object.entries(changes)) {
    Object.defineProperty(copy, keyword, { value, enumerable: true, configurable: true, writable: true });
  }
  return copy;
}
