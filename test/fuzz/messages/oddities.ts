import { Odd, type Tree } from './tree.ts';

/** Properties that no schema of the policy names. */
export const UNNAMED = [
  'isAdmin', 'zz', 'Type', 'type ', 'x', 'toString', 'valueOf', 'prototype', 'k22', 'é', '\u0000', 'jsonrpc', 'method', 'data',
]; // biome-ignore format: a list of texts reads best as a block

/** Unknown types of message. */
export const TYPES = [
  'shout', '', 'Say', 'say ', 'constructor', '__proto__', 'toString', 'error', 'auth', 'x'.repeat(257),
]; // biome-ignore format: a list of texts reads best as a block

/** A double in MessagePack, also for a whole number. */
function double(json: string, value: number): Odd {
  const packed = Buffer.alloc(9);
  packed[0] = 0xcb;
  packed.writeDoubleBE(value, 1);
  return new Odd(json, packed);
}

/** Numbers at the limits of exactness, and unusual spellings. */
export const NUMBERS: readonly Tree[] = [
  double('1e999', Number.POSITIVE_INFINITY),
  double('-1e999', Number.NEGATIVE_INFINITY),
  double('NaN', Number.NaN),
  new Odd('9007199254740993', Uint8Array.of(0xcf, 0, 0x20, 0, 0, 0, 0, 0, 1)),
  new Odd('18446744073709551615', Uint8Array.of(0xcf, ...Array(8).fill(0xff))),
  new Odd('1E2', Uint8Array.of(0xca, 0x42, 0xc8, 0, 0)),
  new Odd('10e-1', Uint8Array.of(0xd0, 1)),
  new Odd('0.1e1', Uint8Array.of(0xcc, 1)),
  new Odd('1e-999', Uint8Array.of(0xcb, 0, 0, 0, 0, 0, 0, 0, 1)),
  new Odd('01', Uint8Array.of(0xd1, 0xff, 0xff)),
  -0, 2 ** 53, -(2 ** 53), 2 ** 53 - 1, 1.5, -1, 10, 11, 1_000_000, 1_000_001, -1_000_000.5, 1e-7,
]; // biome-ignore format: a list of numbers reads best as a block

/** MessagePack values that JSON does not have, and texts that only look like JSON values. */
export const ALIENS: readonly Tree[] = [
  new Odd('undefined', Uint8Array.of(0xc1)),
  new Odd('new Date(0)', Uint8Array.of(0xd6, 0xff, 0, 0, 0, 0)),
  new Odd("'a'", Uint8Array.of(0xd7, 0xff, 1, 2, 3, 4, 5, 6, 7, 8)),
  new Odd('/a/', Uint8Array.of(0xc7, 12, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2)),
  new Odd('0x1', Uint8Array.of(0xd4, 0x01, 0x02)),
  new Odd('"\\x41"', Uint8Array.of(0xc7, 3, 0x05, 1, 2, 3)),
  new Odd('"\\ud800"', Uint8Array.of(0xa3, 0xed, 0xa0, 0x80)),
  new Odd('"\\udc00\\ud800"', Uint8Array.of(0xa4, 0x61, 0xff, 0xfe, 0x62)),
  new Odd('"\\u00"', Uint8Array.of(0xa2, 0xc0, 0xaf)),
  new Odd('"\u0001"', Uint8Array.of(0xa1, 0x80)),
  new Odd('+1', Uint8Array.of(0xa2, 0xf0, 0x9f)),
  new Odd('[1,]', Uint8Array.of(0xc4, 0)),
  new Odd('[,1]', Uint8Array.of(0xc4, 3, 1, 2, 3)),
  new Odd('{}', Uint8Array.of(0xc5, 0, 1, 0)),
];
