import type { Random } from '../random.ts';
import { type Entries, Odd, type Tree } from './tree.ts';

/** Writes MessagePack: plainly, or with wider headers and numbers than necessary. */
export function packedOf(tree: Tree, random?: Random, plain = true): Uint8Array {
  const parts: Uint8Array[] = [];
  const wide = (): boolean => random !== undefined && !plain && random.chance(0.3);
  const write = (inner: Tree | Odd): void => {
    if (inner === null) parts.push(Uint8Array.of(0xc0));
    else if (typeof inner === 'boolean') parts.push(Uint8Array.of(inner ? 0xc3 : 0xc2));
    else if (typeof inner === 'number') parts.push(numberOf(inner, wide()));
    else if (typeof inner === 'string') {
      const bytes = utf8(inner);
      parts.push(header(bytes.length, wide(), STRING), bytes);
    } else if (inner instanceof Odd) parts.push(inner.packed);
    else if (inner instanceof Uint8Array) parts.push(header(inner.length, wide(), BYTES), inner);
    else if (Array.isArray(inner)) {
      parts.push(header(inner.length, wide(), ARRAY));
      for (const item of inner) write(item);
    } else writeMap(inner);
  };
  const writeMap = ({ list }: Entries): void => {
    parts.push(header(list.length, wide(), MAP));
    for (const [key, value] of list) {
      write(key);
      write(value);
    }
  };
  write(tree);
  return Buffer.concat(parts);
}

/** The first bytes of a kind of value: with the length inside (and its maximum), then with a length of 8, 16 and 32 bits. */
interface Heads {
  readonly fixed: readonly [first: number, below: number];
  readonly sized: readonly [number | undefined, number, number];
}
const STRING: Heads = { fixed: [0xa0, 32], sized: [0xd9, 0xda, 0xdb] };
const BYTES: Heads = { fixed: [0, 0], sized: [0xc4, 0xc5, 0xc6] };
const ARRAY: Heads = { fixed: [0x90, 16], sized: [undefined, 0xdc, 0xdd] };
const MAP: Heads = { fixed: [0x80, 16], sized: [undefined, 0xde, 0xdf] };

function header(length: number, wide: boolean, { fixed: [first, below], sized }: Heads): Uint8Array {
  if (length < below && !wide) return Uint8Array.of(first | length);
  const [eight, sixteen, thirtyTwo] = sized;
  if (eight !== undefined && length < 256 && !wide) return Uint8Array.of(eight, length);
  if (length < 65_536 && !(wide && length % 2 === 0))
    return Uint8Array.of(sixteen, length >> 8, length & 0xff);
  return sizedBy32(thirtyTwo, length);
}

/** A head with any length, right or wrong. */
export function sizedBy32(head: number, length: number): Uint8Array {
  const bytes = Buffer.alloc(5);
  bytes[0] = head;
  bytes.writeUInt32BE(length, 1);
  return bytes;
}

function numberOf(value: number, wide: boolean): Uint8Array {
  if (Number.isInteger(value) && !Object.is(value, -0) && !wide) {
    if (value >= 0 && value < 128) return Uint8Array.of(value);
    if (value < 0 && value >= -32) return Uint8Array.of(value & 0xff);
    if (value >= -(2 ** 31) && value < 2 ** 31) return signed(0xd2, 4, value);
    if (Number.isSafeInteger(value)) return signed(0xd3, 8, value);
  }
  if (Number.isSafeInteger(value) && !Object.is(value, -0) && value % 2 === 0) return signed(0xd3, 8, value);
  const bytes = Buffer.alloc(9);
  bytes[0] = 0xcb;
  bytes.writeDoubleBE(value, 1);
  return bytes;
}

function signed(head: number, size: 4 | 8, value: number): Uint8Array {
  const bytes = Buffer.alloc(1 + size);
  bytes[0] = head;
  if (size === 4) bytes.writeInt32BE(value, 1);
  else bytes.writeBigInt64BE(BigInt(value), 1);
  return bytes;
}

const LONE_SURROGATE = /\p{Surrogate}/u;

/** UTF-8 that encodes a lone surrogate as three bytes, which strict decoders refuse. */
function utf8(text: string): Uint8Array {
  if (!LONE_SURROGATE.test(text)) return Buffer.from(text);
  return Buffer.concat(
    [...text].map((character) => {
      const unit = character.charCodeAt(0);
      if (character.length > 1 || unit < 0xd800 || unit > 0xdfff) return Buffer.from(character);
      return Buffer.of(0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 0x3f), 0x80 | (unit & 0x3f));
    }),
  );
}
