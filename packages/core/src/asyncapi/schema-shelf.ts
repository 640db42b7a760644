import { mapInner } from '../message/closed.ts';
import { referredTo } from '../message/references.ts';
import type { SchemaNode } from '../wire/envelope.ts';
import { portable, SCHEMAS } from './portable-schema.ts';
import { Shelf } from './shelf.ts';

/** Keywords beside a reference that restrict nothing. */
const BOOKKEEPING = ['$ref', '$defs', 'definitions', '$schema', '$id', '$comment'];

/**
 * Makes each part of a body that is referred to one of `components.schemas`, because a reference is relative to its
 * body and a body is somewhere in a document.
 */
export class SchemaShelf {
  readonly #shelf = new Shelf<SchemaNode>();
  readonly #known = new Map<string, SchemaNode>();

  /** The body with its references pointing to the shelf. A reference that cannot be resolved allows any value. */
  body(body: SchemaNode, name: string): SchemaNode {
    // Guards that share a schema have copies of it.
    const fingerprint = `${name} ${JSON.stringify(body)}`;
    const known = this.#known.get(fingerprint) ?? this.#hoist(body, name);
    this.#known.set(fingerprint, known);
    return known;
  }

  get record(): Record<string, SchemaNode> | undefined {
    return this.#shelf.record;
  }

  #hoist(body: SchemaNode, name: string): SchemaNode {
    const keys = new Map<SchemaNode, string>();
    const shelve = (target: SchemaNode, reference: string): string => {
      const known = keys.get(target);
      if (known !== undefined) return known;
      const part = /[^#/]*$/.exec(reference)?.[0] ?? '';
      const key = this.#shelf.reserve(part === '' ? name : `${name}.${part}`);
      keys.set(target, key);
      this.#shelf.fill(key, portable(rewrite(target)));
      return key;
    };
    const rewrite = ({ $defs, definitions, $ref, ...node }: SchemaNode): SchemaNode => {
      const mapped = mapInner(node, rewrite);
      const target = referredTo(body, $ref);
      return target === undefined ? mapped : { ...mapped, $ref: `${SCHEMAS}${shelve(target, String($ref))}` };
    };
    return rewrite(startOf(body));
  }
}

/** Replaces a body that is only a reference by its target. */
function startOf(body: SchemaNode): SchemaNode {
  let start = body;
  for (const seen = new Set<SchemaNode>(); !seen.has(start); ) {
    seen.add(start);
    const isReference = Object.keys(start).every((keyword) => BOOKKEEPING.includes(keyword));
    start = (isReference ? referredTo(body, start.$ref) : undefined) ?? start;
  }
  return start;
}
