/** Bounds of a parsed message. */
export interface ValueBounds {
  /** How deep arrays and objects may nest. */
  readonly depth: number;
  /** How many object keys there may be in all. */
  readonly keys: number;
  /** How many elements one array may have. */
  readonly items: number;
  /** How many UTF-16 code units a text, or bytes a `Uint8Array`, may have. */
  readonly text: number;
  /** The largest magnitude of a number. */
  readonly number: number;
}

/** The result for text that is not JSON. */
export const UNREADABLE: unique symbol = Symbol('unreadable');

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return UNREADABLE;
  }
}

/**
 * Whether a value is safe for any handler: within the bounds, plain, and without keys that pollute prototypes (an own
 * `__proto__`; `constructor` with a `prototype`, such as CVE-2026-27148). With the text, or with the number of keys that a
 * codec has read, also whether no object repeats a key: parsers differ in which one counts (RFC 8259 §4).
 */
export function isAcceptable(value: unknown, bounds: ValueBounds, text?: string, keysRead?: number): boolean {
  const left = keysLeft(value, bounds, bounds.depth, bounds.keys);
  if (left < 0) return false;
  const keys = bounds.keys - left;
  return text === undefined ? (keysRead ?? keys) === keys : !repeatsKeys(text, keys);
}

/** Walks through the value once. Returns the rest of the budget of keys, or -1 if a bound is exceeded. */
function keysLeft(value: unknown, bounds: ValueBounds, depth: number, budget: number): number {
  if (typeof value !== 'object') return isPlainLeaf(value, bounds) ? budget : -1;
  if (value === null) return budget;
  if (depth === 0) return isBytes(value, bounds) ? budget : -1;
  if (Array.isArray(value)) return itemsLeft(value, bounds, depth, budget);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return isBytes(value, bounds) ? budget : -1;
  let left = budget;
  for (const key in value) {
    const inner = (value as Record<string, unknown>)[key];
    if (left === 0 || key === '__proto__' || (key === 'constructor' && hasPrototype(inner))) return -1;
    left = keysLeft(inner, bounds, depth - 1, left - 1);
    if (left < 0) return -1;
  }
  return left;
}

function itemsLeft(items: readonly unknown[], bounds: ValueBounds, depth: number, budget: number): number {
  if (items.length > bounds.items) return -1;
  let left = budget;
  for (const item of items) {
    left = keysLeft(item, bounds, depth - 1, left);
    if (left < 0) return -1;
  }
  return left;
}

function isPlainLeaf(value: unknown, bounds: ValueBounds): boolean {
  if (typeof value === 'string') return value.length <= bounds.text;
  // `1e999` is JSON and becomes Infinity.
  if (typeof value === 'number') return value <= bounds.number && value >= -bounds.number;
  return typeof value === 'boolean';
}

function isBytes(value: object, bounds: ValueBounds): boolean {
  return value instanceof Uint8Array && value.byteLength <= bounds.text;
}

function hasPrototype(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, 'prototype');
}

/** Every key has a colon behind it, so a text with as many colons as keys needs no closer look. */
function repeatsKeys(text: string, keys: number): boolean {
  return countColons(text) !== keys && countKeys(text) !== keys;
}

export function countColons(text: string): number {
  let colons = 0;
  for (let at = text.indexOf(':'); at !== -1; at = text.indexOf(':', at + 1)) colons++;
  return colons;
}

const BACKSLASH = 0x5c;

/** Counts the strings with a colon behind them in valid JSON. */
function countKeys(text: string): number {
  let keys = 0;
  let open = text.indexOf('"');
  while (open !== -1) {
    let close = text.indexOf('"', open + 1);
    while (isEscaped(text, close)) close = text.indexOf('"', close + 1);
    let next = close + 1;
    while (text.charCodeAt(next) <= 0x20) next++;
    if (text[next] === ':') keys++;
    open = text.indexOf('"', next);
  }
  return keys;
}

/** Whether an odd number of backslashes precedes. */
function isEscaped(text: string, at: number): boolean {
  let before = at - 1;
  while (text.charCodeAt(before) === BACKSLASH) before--;
  return (at - before) % 2 === 0;
}
