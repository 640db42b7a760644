/**
 * `limits.json` of the fuzzed policy: small, so that messages meet them from both sides, but large enough for most messages
 * of a fixed form to be shorter than what `text` and `items` together could be broken with.
 */
export const BOUNDS = { depth: 8, keys: 24, items: 128, text: 256, number: 1_000_000 };

/** Whether a whole message keeps to the bounds and has no key that poisons prototypes. Own words, own walk. */
export function isWithinBounds(message: unknown): boolean {
  let keys = 0;
  // Pairs of a value and how many arrays and objects are around it.
  const todo: [value: unknown, depth: number][] = [[message, 0]];
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    const [value, depth] = next;
    if (typeof value === 'string') {
      if (value.length > BOUNDS.text) return false;
    } else if (typeof value === 'number') {
      if (!(Math.abs(value) <= BOUNDS.number)) return false;
    } else if (value instanceof Uint8Array) {
      if (value.byteLength > BOUNDS.text) return false;
    } else if (Array.isArray(value)) {
      if (depth >= BOUNDS.depth || value.length > BOUNDS.items) return false;
      for (const item of value) todo.push([item, depth + 1]);
    } else if (isMap(value)) {
      const names = Object.getOwnPropertyNames(value);
      keys += names.length;
      if (depth >= BOUNDS.depth || keys > BOUNDS.keys || poisons(value, names)) return false;
      for (const name of names) todo.push([value[name], depth + 1]);
    } else if (value !== null && typeof value !== 'boolean') return false;
  }
  return true;
}

function poisons(value: Readonly<Record<string, unknown>>, names: readonly string[]): boolean {
  if (names.includes('__proto__')) return true;
  if (!names.includes('constructor')) return false;
  const made = value.constructor as unknown;
  return isMap(made) && Object.hasOwn(made, 'prototype');
}

/** A JSON object, or a map of MessagePack; nothing that its extensions make. Whichever realm of Jest it comes from. */
export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return typeof prototype === 'object' && prototype !== null && Object.getPrototypeOf(prototype) === null;
}
