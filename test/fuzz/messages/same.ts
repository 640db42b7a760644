import { isMap } from './bounds.ts';

/**
 * Whether two values are the same as messages: of plain objects, whose keys may come in any order. Written anew by an
 * encoder, `-0` may have become `0`.
 */
export function isSame(one: unknown, other: unknown, written = false): boolean {
  if (typeof one === 'number' && written) return one === other;
  if (Array.isArray(one)) {
    return (
      Array.isArray(other) &&
      one.length === other.length &&
      one.every((item, i) => isSame(item, other[i], written))
    );
  }
  if (one instanceof Uint8Array) return other instanceof Uint8Array && Buffer.compare(one, other) === 0;
  if (!isMap(one)) return Object.is(one, other);
  if (!isMap(other)) return false;
  const names = Object.getOwnPropertyNames(one);
  return (
    names.length === Object.getOwnPropertyNames(other).length &&
    names.every((name) => Object.hasOwn(other, name) && isSame(one[name], other[name], written))
  );
}
