import type { SchemaNode } from '../wire/envelope.ts';
import { changed, isNode, mapInner } from './closed.ts';
import { keyOfStep } from './json-pointer.ts';

/**
 * The part of a schema that its `$ref` names by JSON Pointer, `$id` or `$anchor`; `undefined` if it cannot be found.
 */
export function referredTo(whole: SchemaNode, reference: unknown): SchemaNode | undefined {
  if (typeof reference !== 'string') return undefined;
  if (reference === '#') return whole;
  if (reference.startsWith('#/')) return atPointer(whole, reference);
  return named(whole, reference);
}

function atPointer(whole: SchemaNode, reference: string): SchemaNode | undefined {
  let at: unknown = whole;
  for (const step of reference.slice(2).split('/')) {
    const key = keyOfStep(step);
    if (key === undefined || typeof at !== 'object' || at === null || !Object.hasOwn(at, key))
      return undefined;
    at = (at as SchemaNode)[key];
  }
  return isNode(at) ? at : undefined;
}

function named(value: unknown, reference: string): SchemaNode | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { $id, $anchor } = value as SchemaNode;
  if ($id === reference || (typeof $anchor === 'string' && reference === `#${$anchor}`))
    return value as SchemaNode;
  for (const inner of Object.values(value)) {
    const found = named(inner, reference);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A part of a schema that is asked about by itself, with what it may refer to. */
export function withDefinitions(part: SchemaNode, { $defs, definitions }: SchemaNode): SchemaNode {
  const added = Object.entries({ $defs, definitions }).filter(
    ([key, value]) => isNode(value) && part[key] === undefined,
  );
  return added.length === 0 ? part : changed(part, Object.fromEntries(added));
}

/** The schema that holds the definitions for what is inside of another: that one, or the one around it. */
export function holderOf(schema: SchemaNode, around: SchemaNode): SchemaNode {
  return isNode(schema.$defs) || isNode(schema.definitions) ? schema : around;
}

/** Whether every reference of a part that is asked about by itself leads to a definition. */
export function areResolved(schema: SchemaNode): boolean {
  const lead = (value: unknown): boolean => {
    if (typeof value !== 'object' || value === null) return true;
    const { $ref } = value as SchemaNode;
    if (typeof $ref === 'string' && !leadsToDefinition(schema, $ref)) return false;
    return Object.values(value).every(lead);
  };
  return lead(schema);
}

function leadsToDefinition(part: SchemaNode, reference: string): boolean {
  const byPath = reference === '#' || reference.startsWith('#/');
  return (
    (!byPath || /^#\/(\$defs|definitions)\//.test(reference)) && referredTo(part, reference) !== undefined
  );
}

const BODY = 'sallyport:body';

/** A copy whose top may be changed. References to the whole lead to the unchanged schema. */
export function withOwnTop(schema: SchemaNode): SchemaNode {
  let found = false;
  const redirect = (node: SchemaNode): SchemaNode => {
    // Inside a schema with an `$id`, that schema is the whole.
    if (node !== schema && node.$id !== undefined) return node;
    const mapped = mapInner(node, redirect);
    if (node.$ref !== '#' && (typeof node.$ref !== 'string' || node.$ref !== schema.$id)) return mapped;
    found = true;
    return changed(mapped, { $ref: `#/$defs/${BODY}` });
  };
  const redirected = redirect(schema);
  if (!found) return schema;
  const copy = changed(redirected, {});
  delete copy.$id;
  return changed(redirected, { $defs: { ...(redirected.$defs as object | undefined), [BODY]: copy } });
}
