import { PolicyError } from '../vocabulary/policy-error.ts';
import type { SchemaNode } from '../wire/envelope.ts';
import { isNode } from './closed.ts';
import { apart, formsOf } from './forms-apart.ts';
import { escapeStep } from './json-pointer.ts';
import { referredTo } from './references.ts';
import { KEYWORDS } from './schema-keywords.ts';

/**
 * Refuses a schema that contains itself and describes what is inside a value more than once, such as a union with two members that
 * differ only in an optional property: each level of a message would double the work, and 32 levels would take minutes.
 *
 * @throws PolicyError that names the place, as a JSON Pointer behind the option.
 */
export function refuseBranching(whole: SchemaNode, option: string): void {
  for (const reference of new Set(referencesIn(whole))) {
    const target = referredTo(whole, reference);
    if (target === undefined) continue;
    const reaches = reachOf(whole, reference);
    if (!reaches(target)) continue;
    for (const [node, at] of schemasIn(target, placeOf(target, whole))) {
      const twice = reaches(node) ? new Looks(whole, reaches).twice(node) : undefined;
      if (twice === undefined) continue;
      throw new PolicyError(
        `${option}#${at}`,
        `it contains itself, and several of its parts describe the same ${twice}, so that each level of a message would double the work`,
        "Describe it once, or give the members of the union a required property that tells them apart, such as kind: Type.Literal('…').",
      );
    }
  }
}

/** A value that is inside another is found by its key, or by any other key. */
const REST = Symbol('rest');
type Key = string | typeof REST;
/** How often a schema looks at each value inside, of those through which it contains itself. More than 2 counts as 2. */
type Counts = ReadonlyMap<Key, number>;
const NONE: Counts = new Map();

class Looks {
  /** The schemas about the value itself that are being followed. */
  readonly #followed = new Set<SchemaNode>();

  constructor(
    readonly whole: SchemaNode,
    readonly reaches: (schema: unknown) => boolean,
  ) {}

  /** What is described twice, in words; `undefined` if nothing is. */
  twice(node: SchemaNode): string | undefined {
    for (const [key, count] of this.#of(node)) {
      if (count > 1) return typeof key === 'string' && key !== ITEMS ? `property '${key}'` : 'values';
    }
    return undefined;
  }

  #of(node: unknown): Counts {
    if (!isNode(node) || this.#followed.has(node)) return NONE;
    this.#followed.add(node);
    const { $ref, allOf, not, dependentSchemas, dependencies } = node;
    const parts = [
      this.#inside(node),
      this.#of($ref === undefined ? undefined : referredTo(this.whole, $ref)),
      ...(Array.isArray(allOf) ? allOf : []).map((one) => this.#of(one)),
      this.#of(not),
      this.#of(node.if),
      most(this.#of(node.then), this.#of(node.else)),
      ...[dependentSchemas, dependencies].flatMap((given) =>
        isNode(given) ? Object.values(given).map((one) => this.#of(one)) : [],
      ),
      this.#ofUnion(node.anyOf),
      this.#ofUnion(node.oneOf),
    ];
    this.#followed.delete(node);
    return parts.reduce(sum);
  }

  /** Members that no value can be both of do not add up. */
  #ofUnion(union: unknown): Counts {
    const forms = Array.isArray(union) ? union.flatMap((member) => formsOf(member, this.whole)) : [];
    const counts = forms.map((form) => this.#of(form));
    let all = counts.reduce(most, NONE);
    for (const [i, one] of forms.entries()) {
      for (let k = 0; k < i; k++) {
        const both = sum(counts[i] as Counts, counts[k] as Counts);
        if (both.size > 0 && !apart(one, forms[k] as SchemaNode, this.whole)) all = most(all, both);
      }
    }
    return all;
  }

  /** What the schema itself says of the values inside. */
  #inside(node: SchemaNode): Counts {
    const counts = new Map<Key, number>();
    const once = (schema: unknown): number => (this.reaches(schema) ? 1 : 0);
    const most = (schemas: readonly unknown[]): number => Math.max(0, ...schemas.map(once));
    if (isNode(node.properties))
      for (const [name, schema] of Object.entries(node.properties)) counts.set(name, once(schema));
    const patterns = isNode(node.patternProperties) ? Object.values(node.patternProperties) : [];
    const rest = most([...patterns, node.additionalProperties, node.unevaluatedProperties]);
    const items = [node.items, node.prefixItems].flat();
    const inList = most([...items, node.additionalItems, node.unevaluatedItems]) + once(node.contains);
    if (rest > 0) counts.set(REST, rest);
    if (inList > 0) counts.set(ITEMS, inList);
    return [...counts.values()].some((count) => count > 0) ? counts : NONE;
  }
}

/** All items of a list are taken for one value. No property has this name, which holds a character that JSON Pointer escapes. */
const ITEMS = '~items';

function sum(one: Counts, other: Counts): Counts {
  return merged(one, other, (a, b) => Math.min(2, a + b));
}

function most(one: Counts, other: Counts): Counts {
  return merged(one, other, Math.max);
}

function merged(one: Counts, other: Counts, merge: (a: number, b: number) => number): Counts {
  if (one.size === 0) return other;
  if (other.size === 0) return one;
  const keys = new Set<Key>([...one.keys(), ...other.keys()]);
  const count = (counts: Counts, key: Key): number =>
    counts.get(key) ?? (key === ITEMS ? 0 : (counts.get(REST) ?? 0));
  return new Map([...keys].map((key) => [key, merge(count(one, key), count(other, key))]));
}

/** Whether a schema leads to the reference in the end. */
function reachOf(whole: SchemaNode, reference: unknown): (schema: unknown) => boolean {
  const known = new Map<unknown, boolean>();
  const leads = (schema: unknown): boolean =>
    referencesIn(schema).some((one) => {
      if (one === reference) return true;
      const before = known.get(one);
      if (before !== undefined) return before;
      known.set(one, false);
      const found = leads(referredTo(whole, one));
      known.set(one, found);
      return found;
    });
  return leads;
}

function referencesIn(value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  const inner = Object.values(value).flatMap(referencesIn);
  return '$ref' in value ? [value.$ref, ...inner] : inner;
}

function placeOf(target: SchemaNode, whole: SchemaNode): string {
  return schemasIn(whole, '', true).find(([node]) => node === target)?.[1] ?? '';
}

/** The schema and those inside it, with their places. */
function schemasIn(schema: SchemaNode, at: string, definitions = false): [SchemaNode, string][] {
  const found: [SchemaNode, string][] = [[schema, at]];
  for (const [keyword, value] of Object.entries(schema)) {
    const { role, holds } = KEYWORDS.get(keyword) ?? {};
    if (role === undefined || (role === 'definition' && !definitions)) continue;
    const inner = holds === 'schema' || (holds === 'items' && !Array.isArray(value)) ? { '': value } : value;
    for (const [step, one] of Object.entries(inner as object)) {
      const path = `${at}/${keyword}${step === '' ? '' : `/${escapeStep(step)}`}`;
      if (isNode(one)) found.push(...schemasIn(one, path, definitions));
    }
  }
  return found;
}
