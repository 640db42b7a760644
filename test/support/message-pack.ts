import { Decoder, encode } from '@msgpack/msgpack';
import type { Codec } from '@sallyport/core';

/** The same depth as the default of `limits.json.depth`. */
const DEPTH = 32;

/**
 * A MessagePack codec for a policy. `@msgpack/msgpack` allocates what a message declares before it has read it: 40 bytes of
 * nested arrays took 2 GB and 19 s. So this codec checks the declared lengths first.
 */
export const messagePack: Codec = {
  contentType: 'application/msgpack',
  frames: 'binary',
  decode(data, key) {
    const bytes = data as Uint8Array;
    if (!isPlausible(bytes))
      throw new TypeError('This declares more than it holds, or what is no plain value.');
    return new Decoder({ mapKeyConverter: countingKeys(key) }).decode(bytes);
  },
  encode: (value) => encode(value),
};

/** For the decoder of `@msgpack/msgpack`: tells of each key, and takes only those that a message may have. */
export function countingKeys(key: () => void): (name: unknown) => string | number {
  return (name) => {
    key();
    if (typeof name !== 'string' && typeof name !== 'number') throw new TypeError('This is no key.');
    return name;
  };
}

/** The value of a message that the server has sent. */
export function unpack(data: Uint8Array): unknown {
  return messagePack.decode(data, () => undefined);
}

/** How many bytes follow a head byte: those of a number, or those of a length. */
const NUMBERS: Readonly<Record<number, number>> = {
  202: 4, 203: 8, 204: 1, 205: 2, 206: 4, 207: 8, 208: 1, 209: 2, 210: 4, 211: 8,
}; // biome-ignore format: a table reads best as a block
const TEXTS: Readonly<Record<number, number>> = { 196: 1, 197: 2, 198: 4, 217: 1, 218: 2, 219: 4 };
const LISTS: Readonly<Record<number, number>> = { 220: 2, 221: 4 };
const MAPS: Readonly<Record<number, number>> = { 222: 2, 223: 4 };

/** Whether the bytes hold every value that they declare, nested no deeper than this, and no extension type. */
function isPlausible(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  /** How many values are still to come on each level. */
  const expected = [1];
  let at = 0;
  /** Reads a length and moves behind it. */
  const length = (size: number): number => {
    if (at + size > bytes.length) return Number.POSITIVE_INFINITY;
    const value = size === 1 ? view.getUint8(at) : size === 2 ? view.getUint16(at) : view.getUint32(at);
    at += size;
    return value;
  };
  while (expected.length > 0) {
    if (expected[expected.length - 1] === 0) {
      expected.pop();
      continue;
    }
    (expected[expected.length - 1] as number)--;
    const head = bytes[at++];
    if (head === undefined) return false;
    let members = 0;
    if (head < 0x80 || head >= 0xe0 || head === 0xc0 || head === 0xc2 || head === 0xc3) continue;
    if (head < 0x90) members = 2 * (head & 0x0f);
    else if (head < 0xa0) members = head & 0x0f;
    else if (head < 0xc0) at += head & 0x1f;
    else if (head in NUMBERS) at += NUMBERS[head] as number;
    else if (head in TEXTS) at = length(TEXTS[head] as number) + at;
    else if (head in LISTS) members = length(LISTS[head] as number);
    else if (head in MAPS) members = 2 * length(MAPS[head] as number);
    else return false;
    // Each member takes at least one byte.
    if (members > bytes.length - at || (members > 0 && expected.length > DEPTH)) return false;
    if (members > 0) expected.push(members);
  }
  return at === bytes.length;
}
