import { isPromise } from '../vocabulary/decision.ts';
import type { SchemaNode } from '../wire/envelope.ts';
import { changed, isNode, mapInner } from './closed.ts';

/**
 * A schema as TypeBox has to be asked about it. What it has seen of an object, for `unevaluatedProperties`, is in disorder
 * once a property in a question has failed (typebox 1.4.3): messages that fit are refused, and without code generation those
 * that do not fit pass. In an `anyOf` each member keeps an account of its own, which goes with it when it fails. What an `if` has
 * seen does not count at all: it is not closed, so that whatever it asks about would let a property be there that no
 * schema describes.
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

/** A promise would pass for a yes. */
function synchronous(refinement: Refinement): Refinement {
  const check = (value: unknown): unknown => {
    const answer = refinement.check(value);
    if (isPromise(answer))
      throw new TypeError('A refinement cannot be asynchronous: its promise would pass for a yes.');
    return answer;
  };
  return { ...refinement, check };
}
