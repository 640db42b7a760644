import { describe, expect, test } from '@jest/globals';
import { byteLength, type Codec, textOf } from '../../src/wire/codec.ts';
import { guardOf } from '../support/guards.ts';

test('text of a view into a larger buffer is only that view', () => {
  const whole = Buffer.from('xx{"a":"\u20ac"}yy');
  const part = whole.subarray(2, whole.length - 2);
  expect(textOf(part)).toBe('{"a":"\u20ac"}');
  expect(textOf(new Uint8Array(part.buffer, part.byteOffset, part.byteLength))).toBe('{"a":"\u20ac"}');
  expect(byteLength(part)).toBe(11);
});

test('the length of a text is counted in bytes', () => {
  expect(byteLength('\u20ac\u{1f512}')).toBe(7);
  expect(byteLength('')).toBe(0);
  expect(byteLength(new Uint8Array(5))).toBe(5);
});

test('text passes unchanged', () => {
  expect(textOf('\u0000\ud800')).toBe('\u0000\ud800');
});

describe('a codec that is given in a policy', () => {
  const codec = (more: object): Codec => ({
    contentType: 'application/test',
    frames: 'binary',
    decode: (data, key) =>
      JSON.parse(String(data), (name, value: unknown) => {
        if (name !== '') key();
        return value;
      }) as unknown,
    encode: (value) => JSON.stringify(value),
    ...more,
  });

  test('tells of the keys that it reads, or says that they are unique', () => {
    expect(() => guardOf({ codec: codec({}) })).not.toThrow();
    expect(() => guardOf({ codec: codec({ decode: () => ({}), uniqueKeys: true }) })).not.toThrow();
  });

  test.each<[string, object, RegExp]>([
    [
      'which tells of none',
      { decode: (data: string) => JSON.parse(data) as unknown },
      /^policy\.codec: of \{ a: \{ b: 1 \} \} it tells 0 keys.*uniqueKeys: true/,
    ],
    [
      'which tells of some',
      {
        decode: (data: string, key: () => void) => {
          key();
          return JSON.parse(data) as unknown;
        },
      },
      /it tells 1 keys/,
    ],
    ['which says it otherwise', { uniqueKeys: 'yes' }, /^policy\.codec\.uniqueKeys: yes is not an option/],
  ])('is refused: %s', (_what, more, problem) => {
    expect(() => guardOf({ codec: codec(more) })).toThrow(problem);
  });
});
