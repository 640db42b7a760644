import type { SchemaNode } from '../wire/envelope.ts';
import { changed, isNode, mapInner } from './closed.ts';

/** Keywords whose schema may fail while the value passes all the same. */
const QUESTIONS = ['if', 'contains'];

/**
 * A schema as TypeBox has to be asked about it. What it has seen of an object, for `unevaluatedProperties`, is in disorder
 * once a property in an `if` or an element in a `contains` has failed (typebox 1.4.3): messages that fit are refused. In an
 * `anyOf` each member keeps an account of its own, which goes with it when it fails.
 */
export function isolated(schema: SchemaNode): SchemaNode {
  const inner = mapInner(schema, isolated);
  const asked = QUESTIONS.filter((keyword) => isNode(inner[keyword]));
  if (asked.length === 0) return inner;
  return changed(inner, Object.fromEntries(asked.map((keyword) => [keyword, { anyOf: [inner[keyword]] }])));
}
