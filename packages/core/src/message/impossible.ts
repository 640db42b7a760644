import { PolicyError } from '../vocabulary/policy-error.ts';
import type { SchemaNode } from '../wire/envelope.ts';
import { pointerTo } from './check.ts';
import { isNode } from './closed.ts';
import { referredTo } from './references.ts';

/** The types of values that a message can hold. */
const TYPES: ReadonlySet<unknown> = new Set([
  'string',
  'number',
  'integer',
  'boolean',
  'null',
  'array',
  'object',
]);

/**
 * Refuses a schema that no message can pass: a required value that JSON does not have, that is forbidden, or that needs itself
 * without an end.
 *
 * @throws PolicyError that names the place, as a JSON Pointer behind the option.
 */
export function refuseImpossible(body: SchemaNode, option: string): void {
  const passable = passableParts(body);
  if (passable.has(body)) return;
  const { node, path } = deepestFault(body, passable);
  const at = pointerTo(path);
  const foreign =
    node === undefined
      ? undefined
      : [node.type].flat().find((type) => type !== undefined && type !== 'never' && !TYPES.has(type));
  throw new PolicyError(
    at === '' ? option : `${option}#${at}`,
    foreign === undefined
      ? 'nothing would pass'
      : `nothing would pass, because no message holds a value of the type ${String(foreign)}`,
    foreign === undefined
      ? 'Let something through here, or make a property on the way to it optional.'
      : 'Describe what is sent, such as a text or a number, and convert it.',
  );
}

/** What has to pass for the schema to pass: all of some lists, or one of others. */
interface Needs {
  /** `false` if nothing passes, whatever the parts say. */
  readonly alone: boolean;
  readonly all: readonly Part[];
  readonly some: readonly (readonly Part[])[];
}

interface Part {
  readonly path: readonly string[];
  readonly schema: unknown;
}

/** The parts that some value passes. A part that needs itself is never added. */
function passableParts(body: SchemaNode): ReadonlySet<unknown> {
  const parts = new Map<SchemaNode, Needs>();
  const gather = (schema: unknown): void => {
    if (!isNode(schema) || parts.has(schema)) return;
    const needs = needsOf(schema, body);
    parts.set(schema, needs);
    for (const { schema } of [...needs.all, ...needs.some.flat()]) gather(schema);
  };
  gather(body);
  const passable = new Set<unknown>();
  // The inner parts come last, so that few rounds are enough.
  const left = [...parts].reverse();
  for (let before = -1; before !== passable.size; ) {
    before = passable.size;
    for (const [node, needs] of left) {
      if (!passable.has(node) && isMet(needs, passable)) passable.add(node);
    }
  }
  return passable;
}

function isMet({ alone, all, some }: Needs, passable: ReadonlySet<unknown>): boolean {
  const passes = ({ schema }: Part): boolean => (isNode(schema) ? passable.has(schema) : schema !== false);
  return alone && all.every(passes) && some.every((list) => list.some(passes));
}

function needsOf(schema: SchemaNode, body: SchemaNode): Needs {
  const { allOf, anyOf, oneOf, $ref, items, minItems } = schema;
  const all: Part[] = partsOf('allOf', allOf);
  const target = referredTo(body, $ref);
  if (target !== undefined) all.push({ path: ['$ref'], schema: target });
  if (schema.type === 'object') all.push(...requiredParts(schema));
  if (schema.type === 'array' && typeof minItems === 'number' && minItems > 0 && !Array.isArray(items))
    all.push({ path: ['items'], schema: items });
  const some = [partsOf('anyOf', anyOf), partsOf('oneOf', oneOf)].filter((list) => list.length > 0);
  return { alone: mayPassAlone(schema), all, some };
}

function partsOf(keyword: string, list: unknown): Part[] {
  return Array.isArray(list) ? list.map((schema, i) => ({ path: [keyword, String(i)], schema })) : [];
}

function requiredParts({ properties, required }: SchemaNode): Part[] {
  if (!isNode(properties) || !Array.isArray(required)) return [];
  return required
    .filter((name: string) => Object.hasOwn(properties, name))
    .map((name: string) => ({ path: ['properties', name], schema: properties[name] }));
}

function mayPassAlone(schema: SchemaNode): boolean {
  const { type, not, required, maxProperties, enum: several } = schema;
  const types = type === undefined ? undefined : [type].flat();
  if (types !== undefined && !types.some((one) => TYPES.has(one))) return false;
  if (not === true || (isNode(not) && Object.keys(not).length === 0)) return false;
  const values = 'const' in schema ? [schema.const] : several;
  if (Array.isArray(values) && !values.some((value) => fitsTypes(value, types))) return false;
  return !(
    type === 'object' &&
    Array.isArray(required) &&
    typeof maxProperties === 'number' &&
    new Set(required).size > maxProperties
  );
}

function fitsTypes(value: unknown, types: readonly unknown[] | undefined): boolean {
  const own = typeOf(value);
  if (own === undefined) return false;
  return types === undefined || types.includes(own) || (Number.isInteger(value) && types.includes('integer'));
}

/** The JSON type of a value; `undefined` for a value that no message holds. */
function typeOf(value: unknown): string | undefined {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return TYPES.has(typeof value) ? typeof value : undefined;
}

/** Follows what does not pass as far as it goes. */
function deepestFault(
  body: SchemaNode,
  passable: ReadonlySet<unknown>,
): { readonly node: SchemaNode | undefined; readonly path: readonly string[] } {
  const seen = new Set<unknown>();
  let node: SchemaNode | undefined = body;
  const path: string[] = [];
  while (node !== undefined && !seen.has(node)) {
    seen.add(node);
    const { alone, all, some } = needsOf(node, body);
    if (!alone) break;
    const next: Part | undefined = [...all, ...some.flat()].find(
      ({ schema }) => schema === false || (isNode(schema) && !passable.has(schema)),
    );
    if (next === undefined) break;
    path.push(...next.path);
    node = isNode(next.schema) ? next.schema : undefined;
  }
  return { node, path };
}
