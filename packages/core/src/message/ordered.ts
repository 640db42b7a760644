import type { SchemaNode } from '../wire/envelope.ts';
import { changed, isNode, mapInner } from './closed.ts';
import { referredTo } from './references.ts';
import { KEYWORDS } from './schema-keywords.ts';
import { constantsOf } from './union-forms.ts';

/**
 * A copy that means the same and whose cheap checks come first. In a union whose forms hold the union again, and tell
 * themselves apart by what comes after it, each level of a value would double the work: 32 levels would take minutes.
 */
export function ordered(schema: SchemaNode): SchemaNode {
  return orderedIn(schema, { schema, returning: new Map() });
}

interface Whole {
  readonly schema: SchemaNode;
  /** Whether a reference leads to itself in the end. */
  readonly returning: Map<unknown, boolean>;
}

function orderedIn(schema: SchemaNode, whole: Whole): SchemaNode {
  const inner = mapInner(schema, (one) => orderedIn(one, whole));
  const changes: Record<string, unknown> = {};
  if (isNode(inner.properties)) {
    const weighed = Object.entries(inner.properties).map(([name, one]): [number, string, unknown] => [
      weightOf(one, whole),
      name,
      one,
    ]);
    const entries = weighed.sort(([a], [b]) => a - b).map(([, name, one]) => [name, one]);
    changes.properties = Object.fromEntries(entries);
  }
  for (const keyword of ['anyOf', 'oneOf']) {
    if (Array.isArray(inner[keyword])) changes[keyword] = inner[keyword].map(tagFirst);
  }
  return changed(inner, changes);
}

/** Constants, then what holds nothing, what holds schemas, what refers to others, and what refers to itself in the end. */
function weightOf(schema: unknown, whole: Whole): number {
  if (!isNode(schema) || constantsOf(schema) !== undefined) return 0;
  const references = referencesIn(schema);
  if (references.length > 0) return references.some((one) => returns(one, whole, [])) ? 4 : 3;
  return Object.keys(schema).some((keyword) => KEYWORDS.get(keyword)?.role !== undefined) ? 2 : 1;
}

function referencesIn(value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  const inner = Object.values(value).flatMap(referencesIn);
  return '$ref' in value ? [value.$ref, ...inner] : inner;
}

/** Whether a reference leads to one that was followed before, or nowhere. */
function returns(reference: unknown, whole: Whole, followed: readonly unknown[]): boolean {
  if (followed.includes(reference)) return true;
  const known = whole.returning.get(reference);
  if (known !== undefined) return known;
  const target = referredTo(whole.schema, reference);
  const path = [...followed, reference];
  const found = target === undefined || referencesIn(target).some((one) => returns(one, whole, path));
  whole.returning.set(reference, found);
  return found;
}

/** TypeBox looks at the properties that a form does not name before it looks at those that it names. */
function tagFirst(form: unknown): unknown {
  if (!isNode(form) || !isNode(form.properties)) return form;
  if (![form.additionalProperties, form.patternProperties, form.dependentSchemas].some(isNode)) return form;
  const tags = Object.entries(form.properties).filter(([, inner]) => constantsOf(inner) !== undefined);
  if (tags.length === 0) return form;
  return Object.fromEntries([
    ['if', { properties: Object.fromEntries(tags) }],
    ['then', form],
    ['else', false],
  ]);
}
