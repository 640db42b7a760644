import { isNode } from './closed.ts';
import { escapeStep, keyOfStep } from './json-pointer.ts';
import type { Place } from './schema-places.ts';

/** The types of a value, with `number` for integers as well. */
export type Types = ReadonlySet<string>;

/** Resolves references, and finds the types of the values that a schema describes. */
export class PlaceIndex {
  readonly #byPointer: ReadonlyMap<string, Place>;
  readonly #sameValue = new Map<Place, Place[]>();
  readonly #named = new Map<string, Place[]>();

  /** `bodyTypes` are the types of every checked value, if known. */
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

  /** Its subschemas about the same value. */
  sameValue(place: Place): Place[] {
    return this.#sameValue.get(place) ?? [];
  }

  /** The whole of which a schema is a part, and all parts, without conditions. */
  family(place: Place): Place[] {
    let whole = place;
    while (whole.position === 'part' && whole.around !== undefined) whole = whole.around;
    const found = new Set([whole]);
    // The loop also visits what it adds.
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

  /** Other places with the same `$id` or `$anchor`. Copies of one schema are allowed. */
  namesakes(place: Place): readonly Place[] {
    const { $id, $anchor } = place.node;
    return [$id, typeof $anchor === 'string' ? anchorName(place, $anchor) : undefined]
      .flatMap((name) => (typeof name === 'string' ? (this.#named.get(name) ?? []) : []))
      .filter(({ node }) => node !== place.node);
  }

  /** Resolves a `$ref` by JSON Pointer, `$anchor` or `$id`. */
  targetOf({ node, resource }: Place): Place | undefined {
    const { $ref } = node;
    if (typeof $ref !== 'string') return undefined;
    if ($ref === '#') return resource;
    if (!$ref.startsWith('#')) return this.#named.get($ref)?.[0];
    if (!$ref.startsWith('#/')) return this.#named.get(anchorName({ resource }, $ref.slice(1)))?.[0];
    const steps = $ref.slice(2).split('/').map(decoded);
    return this.#byPointer.get(`${resource.pointer}/${steps.join('/')}`);
  }

  /** `undefined` for any type. */
  typesOf(place: Place): Types | undefined {
    return this.#ownTypes(place, []) ?? this.#typesAround(place);
  }

  #typesAround({ around, keyword, pointer }: Place): Types | undefined {
    if (keyword === 'propertyNames') return new Set(['string']);
    if (around !== undefined) return this.typesOf(around);
    return pointer === '' ? this.bodyTypes : undefined;
  }

  /** One keyword is enough, because a value must satisfy all of them. */
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

/** Unknown if it is unknown for one member, such as `true`. */
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
