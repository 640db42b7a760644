import { expect, test } from '@jest/globals';
import { byteLength, textOf } from '../../src/wire/codec.ts';

test('a part of a larger buffer is read as that part', () => {
  const whole = Buffer.from('xx{"a":"\u20ac"}yy');
  const part = whole.subarray(2, whole.length - 2);
  expect(textOf(part)).toBe('{"a":"\u20ac"}');
  expect(textOf(new Uint8Array(part.buffer, part.byteOffset, part.byteLength))).toBe('{"a":"\u20ac"}');
  expect(byteLength(part)).toBe(11);
});

test('sizes are bytes, not letters', () => {
  expect(byteLength('\u20ac\u{1f512}')).toBe(7);
  expect(byteLength('')).toBe(0);
  expect(byteLength(new Uint8Array(5))).toBe(5);
});

test('text stays as it is', () => {
  expect(textOf('\u0000\ud800')).toBe('\u0000\ud800');
});
