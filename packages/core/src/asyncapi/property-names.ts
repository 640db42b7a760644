import { isNode } from '../message/closed.ts';
import type { SchemaNode } from '../wire/envelope.ts';

interface Names {
  readonly exact: Set<string>;
  readonly patterns: Set<string>;
}

/**
 * Replaces `unevaluatedProperties: false`, which draft-07 lacks: an object that several schemas describe together may
 * have the names that any of them knows.
 */
export function onlyNames(schema: SchemaNode, already: unknown): SchemaNode {
  if (schema.unevaluatedProperties !== false) return {};
  const names: Names = { exact: new Set(), patterns: new Set() };
  if (!collect({ ...schema, unevaluatedProperties: undefined }, names)) return {};
  const exact = { enum: [...names.exact] };
  const patterns = [...names.patterns].map((pattern) => ({ pattern }));
  const known = patterns.length === 0 ? exact : { anyOf: [exact, ...patterns] };
  return { propertyNames: already === undefined ? known : { allOf: [already, known] } };
}

/** Collects the names that a schema allows. Returns whether these are all. */
function collect(schema: SchemaNode, { exact, patterns }: Names): boolean {
  const open = [schema.additionalProperties, schema.unevaluatedProperties].some(
    (others) => others !== undefined && others !== false,
  );
  if (open || schema.$ref !== undefined) return false;
  for (const name of Object.keys(schema.properties ?? {})) exact.add(name);
  for (const pattern of Object.keys(schema.patternProperties ?? {})) patterns.add(pattern);
  const lists = [schema.allOf, schema.anyOf, schema.oneOf].flatMap((list) =>
    Array.isArray(list) ? list : [],
  );
  const dependent = [schema.dependentSchemas, schema.dependencies]
    .filter(isNode)
    .flatMap((record) => Object.values(record));
  return [...lists, ...dependent, schema.if, schema.then, schema.else]
    .filter(isNode)
    .every((more) => collect(more, { exact, patterns }));
}
