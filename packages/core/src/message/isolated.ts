import { isPromise } from '../vocabulary/decision.ts';
import type { SchemaNode } from '../wire/envelope.ts';
import { changed, isNode, mapInner } from './closed.ts';

/**
 * Rewrites a schema around two faults of TypeBox 1.4.3 with `unevaluatedProperties`. After a failed condition its
 * record of seen properties is wrong: fitting messages are refused, and without code generation others pass. Each
 * member of an `anyOf` has a record of its own. What an `if` has seen must not count at all, because it may allow
 * properties that no schema describes.
 */
export function isolated(schema: SchemaNode): SchemaNode {
  const inner = mapInner(schema, isolated);
  const changes: Record<string, unknown> = {};
  for (const keyword of ['contains', 'not']) {
    if (isNode(inner[keyword])) changes[keyword] = { anyOf: [inner[keyword]] };
  }
  if (isNode(inner.if)) changes.if = { not: { not: { anyOf: [inner.if] } } };
  const copy = changed(inner, changes);
  const { '~refine': refinements } = schema as { readonly '~refine'?: readonly Refinement[] };
  if (refinements !== undefined)
    Object.defineProperty(copy, '~refine', { value: refinements.map(synchronous) });
  return copy;
}

interface Refinement {
  readonly check: (value: unknown) => unknown;
}

/** A promise is truthy and would always pass. */
function synchronous(refinement: Refinement): Refinement {
  const check = (value: unknown): unknown => {
    const answer = refinement.check(value);
    if (isPromise(answer))
      throw new TypeError('A refinement cannot be asynchronous: its promise would pass for a yes.');
    return answer;
  };
  return { ...refinement, check };
}
