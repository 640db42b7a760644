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
    pointer: (value) => compiled.Errors(value)[0]?.instancePath ?? '',
    accelerated: compiled.IsAccelerated(),
  };
}

/** Adds `type` to every object that the message may be. */
function withType(schema: SchemaNode, type: string, option: string): SchemaNode {
  const members = (schema.anyOf ?? schema.oneOf) as SchemaNode[] | undefined;
  if (Array.isArray(members)) {
    const keyword = schema.anyOf === undefined ? 'oneOf' : 'anyOf';
    return changed(schema, { [keyword]: members.map((member) => withType(member, type, option)) });
  }
  if (Array.isArray(schema.allOf))
    return changed(schema, { allOf: [...(schema.allOf as unknown[]), typeObject(type)] });
  if (schema.type !== 'object') {
    throw new PolicyError(
      option,
      'the body of a message is not an object',
      'Wrap it: Type.Object({ value: … }).',
    );
  }
  if (Object.hasOwn((schema.properties as object | undefined) ?? {}, 'type')) {
    throw new PolicyError(
      option,
      "it has a property 'type' of its own",
      "Rename it: 'type' names the message.",
    );
  }
  return changed(schema, {
    properties: { ...(schema.properties as object | undefined), type: { const: type } },
    required: [...((schema.required as string[] | undefined) ?? []), 'type'],
  });
}

function typeObject(type: string): SchemaNode {
  return { type: 'object', properties: { type: { const: type } }, required: ['type'] };
}

/** Closes every object in the schema that leaves the question of further properties open. */
function close(schema: SchemaNode, option: string): SchemaNode {
  refuseUnsupported(schema, option);
  const changes: SchemaNode = {};
  for (const keyword of ['anyOf', 'oneOf', 'prefixItems']) mapList(schema, keyword, changes, option);
  for (const keyword of ['properties', 'patternProperties', '$defs'])
    mapRecord(schema, keyword, changes, option);
  if (Array.isArray(schema.items)) mapList(schema, 'items', changes, option);
  else if (isNode(schema.items)) changes.items = close(schema.items, option);
  if (isNode(schema.additionalProperties))
    changes.additionalProperties = close(schema.additionalProperties, option);
  if (Array.isArray(schema.allOf)) {
    // The members of an intersection must not close themselves: each would refuse the others' properties.
    if (schema.unevaluatedProperties === undefined) changes.unevaluatedProperties = false;
  } else if (
    schema.type === 'object' &&
    schema.additionalProperties === undefined &&
    schema.unevaluatedProperties === undefined
  ) {
    changes.additionalProperties = false;
  }
  return changed(schema, changes);
}

function mapList(schema: SchemaNode, keyword: string, changes: SchemaNode, option: string): void {
  const list = schema[keyword];
  if (Array.isArray(list))
    changes[keyword] = list.map((member) => (isNode(member) ? close(member, option) : member));
}

function mapRecord(schema: SchemaNode, keyword: string, changes: SchemaNode, option: string): void {
  const record = schema[keyword];
  if (!isNode(record)) return;
  changes[keyword] = Object.fromEntries(
    Object.entries(record).map(([name, member]) => [name, isNode(member) ? close(member, option) : member]),
  );
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
