import { isMap } from './bounds.ts';

/**
 * Whether two messages are equal. The order of keys does not matter, and an encoder may have turned `-0` into `0`.
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
