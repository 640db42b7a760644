import { PolicyError } from '../vocabulary/policy-error.ts';
import type { SchemaNode } from '../wire/envelope.ts';
import { isComposite, isNode } from './closed.ts';
import { escapeStep } from './json-pointer.ts';
import { KEYWORDS, type Role } from './schema-keywords.ts';

/** Whether a schema describes a value by itself, together with others, or is a condition. */
type Position = 'whole' | 'part' | 'question';

/** A schema at its place in the whole schema. */
export interface Place {
  readonly node: SchemaNode;
  /** A JSON Pointer (RFC 6901). */
  readonly pointer: string;
  readonly position: Position;
  /** The schema around it, if that is about the same value. */
  readonly around: Place | undefined;
  /** What `#` means here: the whole schema, or the next one around with an `$id`. */
  readonly resource: Place;
  /** The keyword that holds it. */
  readonly keyword: string;
}

/** A schema that contains itself is endless. */
const MAX_DEPTH = 100;

/** Visits each place of a schema once, from the outside in. `visit` may throw. */
export function placesOf(
  schema: SchemaNode,
  option: string,
  visit: (place: Place) => void,
): readonly Place[] {
  const places: Place[] = [];
  const walk = (
    node: SchemaNode,
    here: Omit<Place, 'node' | 'resource'>,
    resource?: Place,
    depth = 0,
  ): void => {
    if (depth > MAX_DEPTH)
      throw new PolicyError(option, `it nests more than ${MAX_DEPTH} schemas, or holds itself`, 'Use $ref.');
    const place = { node, ...here } as { -readonly [K in keyof Place]: Place[K] };
    place.resource = resource === undefined || typeof node.$id === 'string' ? place : resource;
    visit(place);
    places.push(place);
    for (const { inner, keyword, role, pointer } of innerOf(node)) {
      walk(
        inner,
        {
          pointer: `${place.pointer}${pointer}`,
          position: positionIn(place, role),
          around: role === 'same' || role === 'question' ? place : undefined,
          keyword,
        },
        place.resource,
        depth + 1,
      );
    }
  };
  walk(schema, { pointer: '', position: 'whole', around: undefined, keyword: '' });
  return places;
}

function positionIn({ node, position }: Place, role: Role): Position {
  if (position === 'question' || role === 'question' || role === 'question inside') return 'question';
  return role === 'same' && (position === 'part' || isComposite(node)) ? 'part' : 'whole';
}

interface Inner {
  readonly inner: SchemaNode;
  readonly keyword: string;
  readonly role: Role;
  /** Relative to the schema around. */
  readonly pointer: string;
}

function innerOf(node: SchemaNode): Inner[] {
  const found: Inner[] = [];
  for (const [keyword, value] of Object.entries(node)) {
    const { role, holds } = KEYWORDS.get(keyword) ?? {};
    if (role === undefined || typeof value !== 'object' || value === null) continue;
    const single = !Array.isArray(value) && (holds === 'schema' || holds === 'items');
    for (const [name, inner] of single ? [['', value]] : Object.entries(value)) {
      const pointer = single ? `/${keyword}` : `/${keyword}/${escapeStep(name as string)}`;
      if (isNode(inner)) found.push({ inner, keyword, role, pointer });
    }
  }
  return found;
}
