import type { Codec, EnvelopeName } from '@sallyport/core';
import type { Random } from '../random.ts';
import { readJson } from './json-reader.ts';
import { jsonOf } from './json-text.ts';
import { packedOf } from './packed.ts';
import { messagePack } from './policy.ts';
import type { Read } from './reference.ts';
import { Entries, type Tree } from './tree.ts';

/** How messages are written: an envelope in a format. */
export interface Dialect {
  readonly name: string;
  readonly envelope: EnvelopeName;
  readonly codec: Codec | undefined;
  /** Reads a message independently of the guard. */
  read(data: Uint8Array): Read;
  /** The value after it was written and read again. */
  written(value: unknown): unknown;
  write(tree: Tree, random: Random, plain: boolean): Uint8Array;
}

const json = (envelope: EnvelopeName): Dialect => ({
  name: envelope,
  envelope,
  codec: undefined,
  read: (data) => readJson(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString()),
  written: (value) => value,
  write: (tree, random, plain) => Buffer.from(jsonOf(tree, random, plain)),
});

export const dialects: readonly Dialect[] = [
  json('flat'),
  json('nested'),
  json('json-rpc'),
  {
    name: 'flat over MessagePack',
    envelope: 'flat',
    codec: messagePack,
    // Of a repeated key the library keeps the last value, so that the value has fewer keys than the bytes.
    read(data) {
      let keys = 0;
      try {
        const value = messagePack.decode(data, () => keys++);
        return { value, repeats: keys !== countKeys(value) };
      } catch {
        return undefined;
      }
    },
    // The library decodes invalid UTF-8 to lone surrogates, and encodes those as U+FFFD.
    written: (value) => messagePack.decode(messagePack.encode(value), () => undefined),
    write: packedOf,
  },
];

function countKeys(value: unknown): number {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return 0;
  const own = Array.isArray(value) ? 0 : Object.keys(value).length;
  return Object.values(value).reduce<number>((total, inner) => total + countKeys(inner), own);
}

/** Puts a body into an envelope. */
export function wrap(envelope: EnvelopeName, type: Tree, body: Tree, id: Tree | undefined): Entries {
  const own: [string, Tree][] = id === undefined ? [] : [['id', id]];
  if (envelope === 'flat')
    return new Entries([['type', type], ...(body instanceof Entries ? body.list : [])]);
  if (envelope === 'nested') return new Entries([['type', type], ...own, ['data', body]]);
  return new Entries([['jsonrpc', '2.0'], ['method', type], ['params', body], ...own]);
}

export function pickId(random: Random): string | number | undefined {
  if (random.chance(0.35)) return undefined;
  return random.pick(['a', '', 'x'.repeat(64), '7', 'ключ"\\', 0, 1, -1, 42, 999_999]);
}
