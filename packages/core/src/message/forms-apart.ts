import type { SchemaNode } from '../wire/envelope.ts';
import { isNode } from './closed.ts';
import { referredTo } from './references.ts';
import { KEYWORDS } from './schema-keywords.ts';
import { constantsOf, partsOf, signsOf } from './union-forms.ts';

/** One value of each type that a message may hold. */
const SAMPLES: readonly unknown[] = [{}, [], '', 1, true, null];

/** The forms of a union whose members may be unions themselves. */
export function formsOf(member: unknown, whole: SchemaNode, followed: readonly unknown[] = []): SchemaNode[] {
  if (!isNode(member) || followed.includes(member)) return [];
  const { $ref, anyOf, oneOf, ...rest } = member;
  const given = Object.keys(rest).some((keyword) => KEYWORDS.get(keyword)?.role !== undefined);
  const inner = [anyOf ?? oneOf].flat().filter(isNode);
  const target = $ref === undefined ? undefined : referredTo(whole, $ref);
  const next = target === undefined ? inner : [target];
  if (given || next.length === 0 || (target !== undefined && inner.length > 0)) return [member];
  return next.flatMap((one) => formsOf(one, whole, [...followed, member]));
}

/**
 * Whether no value can be both by what is checked first: its type, the names of its properties, and properties that hold nothing
 * inside. What is inside is checked after that.
 */
export function apart(one: SchemaNode, other: SchemaNode, whole: SchemaNode): boolean {
  const [a, b] = [signsOf(one, whole), signsOf(other, whole)];
  if (!SAMPLES.some((sample) => a.isOfType(sample) && b.isOfType(sample))) return true;
  if (a.closed && b.required.some((name) => !a.names.has(name))) return true;
  if (b.closed && a.required.some((name) => !b.names.has(name))) return true;
  const required = new Set([...a.required, ...b.required]);
  const [mine, theirs] = [propertiesOf(one, whole), propertiesOf(other, whole)];
  return [...required].some((name) => {
    const [left, right] = [mine.get(name), theirs.get(name)];
    return left !== undefined && right !== undefined && excludes(left, right, whole);
  });
}

function propertiesOf(form: SchemaNode, whole: SchemaNode): ReadonlyMap<string, SchemaNode> {
  const entries = partsOf(form, whole).flatMap(({ properties }) =>
    isNode(properties) ? Object.entries(properties) : [],
  );
  return new Map(entries.filter((entry): entry is [string, SchemaNode] => isNode(entry[1])));
}

/** Whether no value passes both, as far as a constant or a plain type says so. */
function excludes(one: SchemaNode, other: SchemaNode, whole: SchemaNode): boolean {
  const [left, right] = [plain(one, whole), plain(other, whole)];
  if (left === undefined || right === undefined) return false;
  const [mine, theirs] = [constantsOf(left), constantsOf(right)];
  if (mine !== undefined && theirs !== undefined) return ![...mine].some((value) => theirs.has(value));
  const [a, b] = [signsOf(left, whole), signsOf(right, whole)];
  const samples = [...SAMPLES, ...(mine ?? theirs ?? [])];
  const passes = (signs: typeof a, values: typeof mine, sample: unknown): boolean =>
    values === undefined ? signs.isOfType(sample) : values.has(sample);
  return !samples.some((sample) => passes(a, mine, sample) && passes(b, theirs, sample));
}

/** The schema behind references, if it holds no others or is a list of constants. */
function plain(schema: SchemaNode, whole: SchemaNode, hops = 0): SchemaNode | undefined {
  const target = schema.$ref === undefined ? undefined : referredTo(whole, schema.$ref);
  if (target !== undefined) return hops > 20 ? undefined : plain(target, whole, hops + 1);
  const holds = Object.keys(schema).some((keyword) => KEYWORDS.get(keyword)?.role !== undefined);
  return holds && constantsOf(schema) === undefined ? undefined : schema;
}
