import type { SchemaNode } from '../wire/envelope.ts';
import { changed, isNode, mapInner } from './closed.ts';
import { KEYWORDS } from './schema-keywords.ts';
import { constantsOf } from './union-forms.ts';

/**
 * A copy that means the same and whose cheap checks come first. In a union whose forms hold the union again, and tell
 * themselves apart by what comes after it, each level of a value would double the work: 32 levels would take minutes.
 */
export function ordered(schema: SchemaNode): SchemaNode {
  const inner = mapInner(schema, ordered);
  const changes: Record<string, unknown> = {};
  if (isNode(inner.properties)) {
    const entries = Object.entries(inner.properties);
    changes.properties = Object.fromEntries(entries.sort(([, a], [, b]) => weightOf(a) - weightOf(b)));
  }
  for (const keyword of ['anyOf', 'oneOf']) {
    if (Array.isArray(inner[keyword])) changes[keyword] = inner[keyword].map(tagFirst);
  }
  return changed(inner, changes);
}

/** Constants, then what holds nothing, then what holds schemas, then what refers to others. */
function weightOf(schema: unknown): number {
  if (!isNode(schema) || constantsOf(schema) !== undefined) return 0;
  if (refers(schema)) return 3;
  return Object.keys(schema).some((keyword) => KEYWORDS.get(keyword)?.role !== undefined) ? 2 : 1;
}

function refers(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return '$ref' in value || Object.values(value).some(refers);
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
