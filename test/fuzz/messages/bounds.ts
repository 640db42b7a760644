/**
 * `limits.json` of the fuzzed policy: small, so that messages are on both sides of each limit, but large enough that most messages
 * of a fixed form are too short to exceed `text` or `items`.
 */
export const BOUNDS = { depth: 8, keys: 24, items: 128, text: 256, number: 1_000_000 };

/** Whether a message is within the limits and has no key for prototype pollution. Written independently of the guard. */
export function isWithinBounds(message: unknown): boolean {
  return keysIn(message, 0) <= BOUNDS.keys;
}

/** How many keys a value has; infinite if it exceeds another limit. */
function keysIn(value: unknown, depth: number): number {
  switch (typeof value) {
    case 'string':
      return value.length <= BOUNDS.text ? 0 : Number.POSITIVE_INFINITY;
    case 'number':
      return Math.abs(value) <= BOUNDS.number ? 0 : Number.POSITIVE_INFINITY;
    case 'boolean':
      return 0;
    case 'object':
      if (value === null) return 0;
      if (value instanceof Uint8Array) return value.byteLength <= BOUNDS.text ? 0 : Number.POSITIVE_INFINITY;
      return depth < BOUNDS.depth ? keysInside(value, depth + 1) : Number.POSITIVE_INFINITY;
    default:
      return Number.POSITIVE_INFINITY;
  }
}

function keysInside(value: object, depth: number): number {
  let keys = 0;
  if (Array.isArray(value)) {
    if (value.length > BOUNDS.items) return Number.POSITIVE_INFINITY;
    for (const item of value) keys += keysIn(item, depth);
    return keys;
  }
  if (!isMap(value)) return Number.POSITIVE_INFINITY;
  const names = Object.getOwnPropertyNames(value);
  if (poisons(value, names)) return Number.POSITIVE_INFINITY;
  for (const name of names) keys += 1 + keysIn(value[name], depth);
  return keys;
}

function poisons(value: Readonly<Record<string, unknown>>, names: readonly string[]): boolean {
  if (names.includes('__proto__')) return true;
  if (!names.includes('constructor')) return false;
  const made = value.constructor as unknown;
  return isMap(made) && Object.hasOwn(made, 'prototype');
}

/** Whether a value is a JSON object or a MessagePack map, and no extension value. Works across Jest's realms. */
export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return typeof prototype === 'object' && prototype !== null && Object.getPrototypeOf(prototype) === null;
}
