import { Compile } from 'typebox/compile';
import type { SchemaNode } from '../wire/envelope.ts';
import { isNode } from './closed.ts';

/** Leaves out, in place, what a closed schema does not name. What still does not fit is for the check to say. */
export type Strip = (value: unknown) => unknown;

/** Compiles the way to every object that has to be rid of what nobody named. */
export function compileStrip(schema: SchemaNode): Strip {
  const choice = choiceOf(schema);
  if (choice !== undefined) return choice;
  const parts = partsOf(schema);
  const closed = schema.additionalProperties === false || schema.unevaluatedProperties === false;
  const names = new Set(
    parts.flatMap(({ properties }) => (isNode(properties) ? Object.keys(properties) : [])),
  );
  const patterns = parts
    .flatMap(({ patternProperties }) => (isNode(patternProperties) ? Object.keys(patternProperties) : []))
    .map((pattern) => new RegExp(pattern, 'u'));
  const inner = parts.flatMap(innerOf);
  return (value) => {
    if (Array.isArray(value)) for (const { items } of inner) items?.(value);
    if (!isNode(value)) return value;
    if (closed) {
      for (const name of Object.keys(value)) {
        if (!names.has(name) && !patterns.some((pattern) => pattern.test(name))) delete value[name];
      }
    }
    for (const { property } of inner) property?.(value);
    return value;
  };
}

/** A schema and all those that say more about the same value. */
function partsOf(schema: SchemaNode): SchemaNode[] {
  const more = [schema.allOf, schema.anyOf, schema.oneOf].flatMap((members) =>
    Array.isArray(members) ? members : [],
  );
  const conditional = [schema.then, schema.else].filter(isNode);
  const dependent = isNode(schema.dependentSchemas) ? Object.values(schema.dependentSchemas) : [];
  return [schema, ...[...more, ...conditional, ...dependent].filter(isNode).flatMap(partsOf)];
}

/** A union of whole forms: what is left out is what the first form that then fits does not name. */
function choiceOf(schema: SchemaNode): Strip | undefined {
  const members = Array.isArray(schema.anyOf) ? schema.anyOf : schema.oneOf;
  if (!Array.isArray(members) || schema.unevaluatedProperties !== undefined || 'properties' in schema)
    return undefined;
  const forms = members
    .filter(isNode)
    .map((member) => ({ strip: compileStrip(member), check: Compile(member as never) }));
  return (value) => {
    for (const { strip, check } of forms) {
      const candidate = strip(structuredClone(value));
      if (check.Check(candidate)) return candidate;
    }
    return value;
  };
}

interface Inner {
  readonly items?: (list: unknown[]) => void;
  readonly property?: (holder: SchemaNode) => void;
}

function innerOf({
  properties,
  patternProperties,
  additionalProperties,
  items,
  prefixItems,
}: SchemaNode): Inner[] {
  const found: Inner[] = [];
  for (const [name, inner] of Object.entries(isNode(properties) ? properties : {})) {
    if (!isNode(inner)) continue;
    const strip = compileStrip(inner);
    found.push({
      property: (holder) => {
        if (Object.hasOwn(holder, name)) holder[name] = strip(holder[name]);
      },
    });
  }
  const known = new Set(isNode(properties) ? Object.keys(properties) : []);
  const others = Object.entries(isNode(patternProperties) ? patternProperties : {}).filter(([, inner]) =>
    isNode(inner),
  );
  for (const [pattern, inner] of others)
    found.push({ property: eachOf(compileStrip(inner as SchemaNode), new RegExp(pattern, 'u'), known) });
  if (isNode(additionalProperties))
    found.push({ property: eachOf(compileStrip(additionalProperties), /^/, known) });
  // TypeBox writes a tuple as JSON Schema did before 2020-12.
  const first: unknown[] = [prefixItems, items].find(Array.isArray) ?? [];
  const tuple = first.map((inner) => (isNode(inner) ? compileStrip(inner) : undefined));
  const rest = isNode(items) ? compileStrip(items) : undefined;
  if (tuple.length > 0 || rest !== undefined) {
    found.push({
      items: (list) => {
        for (let i = 0; i < list.length; i++)
          list[i] = (i < tuple.length ? tuple[i] : rest)?.(list[i]) ?? list[i];
      },
    });
  }
  return found;
}

function eachOf(strip: Strip, pattern: RegExp, known: ReadonlySet<string>): (holder: SchemaNode) => void {
  return (holder) => {
    for (const name of Object.keys(holder)) {
      if (!known.has(name) && pattern.test(name)) holder[name] = strip(holder[name]);
    }
  };
}
