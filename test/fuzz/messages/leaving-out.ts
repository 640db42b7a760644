import { isMap } from './bounds.ts';
import { isP, isQ } from './reference-schemas.ts';

/** A copy of a value without unknown properties. Values of an unexpected form stay as they are. */
type Prune = (value: unknown) => unknown;

const leaf: Prune = (value) => value;

const named =
  (parts: Readonly<Record<string, Prune>>): Prune =>
  (value) =>
    isMap(value)
      ? Object.fromEntries(
          Object.entries(value)
            .filter(([name]) => Object.hasOwn(parts, name))
            .map(([name, inner]) => [name, (parts[name] as Prune)(inner)]),
        )
      : value;

const each =
  (part: Prune): Prune =>
  (value) =>
    Array.isArray(value) ? value.map(part) : value;

const both =
  (...parts: readonly Prune[]): Prune =>
  (value) =>
    Array.isArray(value) ? value.map((item, i) => (parts[i] ?? leaf)(item)) : value;

const matching =
  (pattern: RegExp, part: Prune): Prune =>
  (value) =>
    isMap(value)
      ? Object.fromEntries(
          Object.entries(value)
            .filter(([name]) => pattern.test(name))
            .map(([name, inner]) => [name, part(inner)]),
        )
      : value;

const p = named({ k: leaf, v: leaf });
const q = named({ k: leaf, w: leaf });

/** What stripping leaves of a message, for types that strip. */
export const leavingOut: Readonly<Record<string, Prune>> = {
  trim: named({ a: leaf, b: leaf }),
  loose: named({
    id: leaf,
    inner: named({ x: leaf }),
    items: each(named({ n: leaf })),
    pair: both(named({ u: leaf }), leaf),
    one: (value) => (isP(p(value)) ? p(value) : isQ(q(value)) ? q(value) : value),
    map: matching(/^[a-z]{1,4}$/, named({ z: leaf })),
  }),
  blend: named({ a: leaf, b: named({ c: leaf }) }),
  zodLoose: named({ n: leaf, inner: named({ s: leaf }) }),
};
