import { isNode } from './closed.ts';
import { escapeStep, keyOfStep } from './json-pointer.ts';
import type { Place } from './schema-places.ts';

/** The types that a value may have, `number` for whole numbers as well. */
export type Types = ReadonlySet<string>;

/** Knows where references lead, and of which types the values are that a schema is about. */
export class PlaceIndex {
  readonly #byPointer: ReadonlyMap<string, Place>;
  readonly #sameValue = new Map<Place, Place[]>();
  readonly #named = new Map<string, Place[]>();

  /** `bodyTypes` are those of every value that is held against the whole schema, where that is known. */
  constructor(
    places: readonly Place[],
    readonly bodyTypes: Types | undefined,
  ) {
    this.#byPointer = new Map(places.map((place) => [place.pointer, place]));
    for (const place of places) {
      if (place.around !== undefined)
        this.#sameValue.set(place.around, [...this.sameValue(place.around), place]);
      const { $id, $anchor } = place.node;
      if (typeof $id === 'string') this.#name($id, place);
      if (typeof $anchor === 'string') this.#name(anchorName(place, $anchor), place);
    }
  }

  #name(name: string, place: Place): void {
    this.#named.set(name, [...(this.#named.get(name) ?? []), place]);
  }

  /** The schemas in this one that say more about the same value, or ask about it. */
  sameValue(place: Place): Place[] {
    return this.#sameValue.get(place) ?? [];
  }

  /** The whole that a schema is a part of, and all that it consists of, questions apart. */
  family(place: Place): Place[] {
    let whole = place;
    while (whole.position === 'part' && whole.around !== undefined) whole = whole.around;
    const found = new Set([whole]);
    // What is added on the way is gone through as well.
    for (const one of found) {
      const target = this.targetOf(one);
      for (const other of [...this.sameValue(one), ...(target === undefined ? [] : [target])]) {
        if (other.position !== 'question') found.add(other);
      }
    }
    return [...found];
  }

  property({ pointer }: Place, name: string): Place | undefined {
    return this.#byPointer.get(`${pointer}/properties/${escapeStep(name)}`);
  }

  /** All places that have the same name. Copies of one schema are no trouble. */
  namesakes(place: Place): readonly Place[] {
    const { $id, $anchor } = place.node;
    return [$id, typeof $anchor === 'string' ? anchorName(place, $anchor) : undefined]
      .flatMap((name) => (typeof name === 'string' ? (this.#named.get(name) ?? []) : []))
      .filter(({ node }) => node !== place.node);
  }

  /** Where the `$ref` of a place leads, by JSON Pointer, `$anchor` or `$id`. */
  targetOf({ node, resource }: Place): Place | undefined {
    const { $ref } = node;
    if (typeof $ref !== 'string') return undefined;
    if ($ref === '#') return resource;
    if (!$ref.startsWith('#')) return this.#named.get($ref)?.[0];
    if (!$ref.startsWith('#/')) return this.#named.get(anchorName({ resource }, $ref.slice(1)))?.[0];
    const steps = $ref.slice(2).split('/').map(decoded);
    return this.#byPointer.get(`${resource.pointer}/${steps.join('/')}`);
  }

  /** `undefined` where it may be any. */
  typesOf(place: Place): Types | undefined {
    return this.#ownTypes(place, []) ?? this.#typesAround(place);
  }

  #typesAround({ around, keyword, pointer }: Place): Types | undefined {
    if (keyword === 'propertyNames') return new Set(['string']);
    if (around !== undefined) return this.typesOf(around);
    return pointer === '' ? this.bodyTypes : undefined;
  }

  /** What a schema says of them by itself. Any of its keywords is enough, since all of them hold. */
  #ownTypes(place: Place, seen: readonly Place[]): Types | undefined {
    if (seen.includes(place)) return undefined;
    const { node } = place;
    if (node.type !== undefined) return new Set([node.type].flat().map(general));
    if (node.const !== undefined) return new Set([typeOf(node.const)]);
    if (Array.isArray(node.enum)) return new Set(node.enum.map(typeOf));
    const target = this.targetOf(place);
    const types = target && this.#ownTypes(target, [...seen, place]);
    return types ?? this.#typesOfMembers(place, [...seen, place]);
  }

  #typesOfMembers(place: Place, seen: readonly Place[]): Types | undefined {
    const typesIn = (...keywords: string[]): (Types | undefined)[] =>
      this.sameValue(place)
        .filter(({ keyword }) => keywords.includes(keyword))
        .map((member) => this.#ownTypes(member, seen));
    const branches = isNode(place.node.then) && isNode(place.node.else) ? typesIn('then', 'else') : [];
    return (
      typesIn('allOf').find((types) => types !== undefined) ??
      union(typesIn('anyOf'), place.node.anyOf) ??
      union(typesIn('oneOf'), place.node.oneOf) ??
      union(branches, branches)
    );
  }
}

/** Of a value that fits one of several: unknown where it is unknown of one of them, `true` and the like among them. */
function union(types: readonly (Types | undefined)[], members: unknown): Types | undefined {
  const all = Array.isArray(members) && members.length === types.length && types.length > 0;
  if (!all || types.includes(undefined)) return undefined;
  return new Set(types.flatMap((some) => [...(some as Types)]));
}

function anchorName({ resource }: Pick<Place, 'resource'>, anchor: string): string {
  return `${resource.pointer}#${anchor}`;
}

function decoded(step: string): string {
  const key = keyOfStep(step);
  return key === undefined ? step : escapeStep(key);
}

function general(type: unknown): string {
  return type === 'integer' ? 'number' : String(type);
}

function typeOf(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
}
