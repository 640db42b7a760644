import type { Random } from '../random.ts';
import { sizedBy32 } from './packed.ts';

/** Changes the bytes of a written message in one way. */
export type ByteMutation = (bytes: Buffer, random: Random) => Uint8Array;

const at = (bytes: Buffer, random: Random): number => random.below(bytes.length + 1);

function spliced(bytes: Buffer, index: number, removed: number, inserted: Uint8Array | string): Buffer {
  return Buffer.concat([
    bytes.subarray(0, index),
    Buffer.from(inserted as string),
    bytes.subarray(index + removed),
  ]);
}

const insert =
  (pieces: readonly (string | Uint8Array)[]): ByteMutation =>
  (bytes, random) =>
    spliced(bytes, at(bytes, random), 0, random.pick(pieces));

/** For both formats. */
const common: Readonly<Record<string, ByteMutation>> = {
  'cut off': (bytes, random) => bytes.subarray(0, random.below(bytes.length)),
  'cut at the front': (bytes, random) => bytes.subarray(1 + random.below(bytes.length)),
  'a byte left out': (bytes, random) => spliced(bytes, random.below(bytes.length), 1, ''),
  'a part twice': (bytes, random) => {
    const [from, to] = [at(bytes, random), at(bytes, random)].sort((a, b) => a - b) as [number, number];
    return spliced(bytes, to, 0, bytes.subarray(from, Math.min(to, from + 40)));
  },
};

/** Puts a syntax character where another one is. */
const asciiOver: ByteMutation = (bytes, random) => {
  const index = random.below(bytes.length);
  // ws refuses half a character before the guard sees the message.
  return (bytes[index] as number) < 0x80
    ? spliced(bytes, index, 1, random.pick([...'{}[]:,"\\0-.eEtfn ']))
    : bytes;
};

export const textMutations: Readonly<Record<string, ByteMutation>> = {
  ...common,
  'a character replaced': asciiOver,
  'a character inserted': insert([
    ...'{}[]:,"\\0-.eEtfn/#',
    '\\u',
    '""',
    '\\"',
    '":"',
    '00',
    '//',
    '/**/',
    "'",
  ]),
  'odd white space': insert(['\u00a0', '\ufeff', '\u2028', '\v', '\f', '\u0000', '\u0085', '\u3000']),
  'honest white space': insert([' ', '\n', '\t', '\r', '   \r\n\t']),
  'a byte order mark': (bytes) => spliced(bytes, 0, 0, '\ufeff'),
  'something behind': (bytes, random) =>
    spliced(
      bytes,
      bytes.length,
      0,
      random.pick(['x', '}', ']', ',', '{}', ' null', '\u0000', '\n\n', '0', '"', ';']),
    ),
  'words of JavaScript': insert([
    'NaN',
    'Infinity',
    'undefined',
    '-',
    '+1',
    '0x1f',
    '1_000',
    '.5',
    '5.',
    '1n',
    '`',
    '...',
  ]),
  'a comma too many': (bytes, random) => {
    const ends = [...bytes.keys()].filter((i) => bytes[i] === 0x7d || bytes[i] === 0x5d);
    return ends.length === 0 ? bytes : spliced(bytes, random.pick(ends), 0, ',');
  },
};

/** Heads that declare more than there is, up to four gigabytes. */
const ANNOUNCED = [0xdc, 0xdd, 0xde, 0xdf, 0xda, 0xdb, 0xc5, 0xc6, 0xc8, 0xc9].map(
  (head) => [head, [1, 200, 4_096, 65_535, 2 ** 25, 2 ** 32 - 1]] as const,
);

export const packedMutations: Readonly<Record<string, ByteMutation>> = {
  ...common,
  'a byte replaced': (bytes, random) =>
    spliced(bytes, random.below(bytes.length), 1, Buffer.of(random.below(256))),
  'a bit turned': (bytes, random) => {
    const index = random.below(bytes.length);
    return spliced(bytes, index, 1, Buffer.of((bytes[index] as number) ^ (1 << random.below(8))));
  },
  'a byte inserted': (bytes, random) => spliced(bytes, at(bytes, random), 0, Buffer.of(random.below(256))),
  'something behind': (bytes, random) => spliced(bytes, bytes.length, 0, Buffer.of(random.below(256))),
  'a wrong length': (bytes, random) => {
    const [head, lengths] = random.pick(ANNOUNCED);
    return spliced(bytes, at(bytes, random), 1, sizedBy32(head, random.pick(lengths)));
  },
  'no UTF-8': insert([
    Buffer.of(0xa1, 0xff),
    Buffer.of(0xa2, 0xc3, 0x28),
    Buffer.of(0xa4, 0xf8, 0x88, 0x80, 0x80),
    Buffer.of(0xd9, 2, 0xed, 0xa0),
  ]),
};
