/** Bounds on the shape of a parsed message. */
export interface JsonBounds {
  /** How deep arrays and objects may nest. */
  readonly depth: number;
  /** How many object keys there may be in all. */
  readonly keys: number;
  /** How many elements one array may have. */
  readonly items: number;
}

/** What `parseMessage` gives for text that is not an acceptable message. */
export const UNREADABLE: unique symbol = Symbol('unreadable');

/**
 * Parses JSON and refuses what is dangerous in any handler: own keys `__proto__`, `constructor` with a `prototype`
 * (CVE-2026-27148 is one of many), and shapes that are dear to walk. Never throws.
 */
export function parseJson(text: string, bounds: JsonBounds): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return UNREADABLE;
  }
  return keysLeft(value, bounds, bounds.depth, bounds.keys) < 0 ? UNREADABLE : value;
}

/** Walks the value once; returns what is left of the budget of keys, or -1 where a bound or a rule is broken. */
function keysLeft(value: unknown, bounds: JsonBounds, depth: number, budget: number): number {
  if (typeof value !== 'object' || value === null) return budget;
  if (depth === 0) return -1;
  let left = budget;
  if (Array.isArray(value)) {
    if (value.length > bounds.items) return -1;
    for (const item of value) {
      left = keysLeft(item, bounds, depth - 1, left);
      if (left < 0) return -1;
    }
    return left;
  }
  for (const key in value) {
    const inner = (value as Record<string, unknown>)[key];
    if (left === 0 || key === '__proto__' || (key === 'constructor' && hasPrototype(inner))) return -1;
    left = keysLeft(inner, bounds, depth - 1, left - 1);
    if (left < 0) return -1;
  }
  return left;
}

function hasPrototype(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, 'prototype');
}
