import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Static } from 'typebox';
import { type SafeTextOptions, safeText } from '../../src/sanitize/safe-text.ts';
import { sanitize } from '../../src/sanitize/sanitize.ts';
import { hostileText } from '../support/hostile-text.ts';

const clean = (text: string, options?: SafeTextOptions) => sanitize(safeText(options), text);

test('safeText() is a text schema with its lengths as keywords', () => {
  const schema = safeText({ minLength: 1, maxLength: 500 });
  const text: Static<typeof schema> = 'text';
  expect(typeof text).toBe('string');
  expect(Object.fromEntries(Object.entries(schema))).toEqual({
    type: 'string',
    minLength: 1,
    maxLength: 500,
  });
  expect(Object.fromEntries(Object.entries(safeText()))).toEqual({
    type: 'string',
    minLength: 0,
    maxLength: 1_000,
  });
});

describe('one line, unless lines are asked for', () => {
  test.each(['hello <b>world</b>', 'größer', 'a\nb', 'a\tb', 'ä\r\nb'])(
    'safeText() keeps lines only if asked to: %j',
    (text) => {
      expect(clean(text)).toBe(text.replaceAll(/[\n\r\t]/g, ''));
      expect(clean(text, { lines: true })).toBe(text.replace('\r\n', '\n'));
    },
  );
});

test('suspicious characters are removed, or refuse the text', () => {
  expect(clean('rm\u202e -rf')).toBe('rm -rf');
  expect(clean('rm\u202e -rf', { on: 'remove' })).toBe('rm -rf');
  expect(clean('rm\u202e -rf', { on: 'refuse' })).toBeUndefined();
  expect(clean('a\nb', { on: 'refuse' })).toBeUndefined();
  expect(clean('a\nb', { on: 'refuse', lines: true })).toBe('a\nb');
  expect(clean('e\u0301', { on: 'refuse' })).toBe('\xe9');
});

describe('lengths', () => {
  test.each([
    ['the default is 1,000', 'a'.repeat(1_000), 'a'.repeat(1_001), {}],
    ['of plain text', 'abc', 'abcd', { maxLength: 3 }],
    ['an emoji is one code point', '😀😀😀', '😀😀😀😀', { maxLength: 3 }],
    ['after normalizing', 'e\u0301'.repeat(3), 'e\u0301'.repeat(4), { maxLength: 3 }],
    ['after removing', 'a\u200bb\u200bc\u200b', 'a\u200bb\u200bc\u200bd', { maxLength: 3 }],
    ['of a few units more than that', '😀ab', '😀abc', { maxLength: 3 }],
    ['at least', 'abc', 'ab', { minLength: 3 }],
    ['at least, in code points', '😀😀😀', '😀😀', { minLength: 3 }],
    ['at least, after removing', 'a\u200b', '\u200b\u200b', { minLength: 1 }],
    ['nothing', '', 'a\u0301b', { maxLength: 1 }],
  ] satisfies [string, string, string, SafeTextOptions][])(
    'safeText() refuses a text outside its lengths: %s',
    (_name, within, beyond, options) => {
      expect(clean(within, options)).toBeDefined();
      expect(clean(beyond, options)).toBeUndefined();
    },
  );

  test('property: lengths count code points', () => {
    fc.assert(
      fc.property(hostileText, fc.nat(10), fc.integer({ min: 1, max: 30 }), (text, minLength, more) => {
        const maxLength = minLength + more;
        const all = clean(text) ?? '';
        const length = [...all].length;
        const expected = length >= minLength && length <= maxLength ? all : undefined;
        expect(clean(text, { minLength, maxLength })).toBe(expected);
      }),
      { numRuns: 1_000 },
    );
  });
});

test('property: cleaning twice changes nothing more', () => {
  fc.assert(
    fc.property(
      fc.oneof(hostileText, fc.string(), fc.string({ unit: 'binary' })),
      fc.boolean(),
      (text, lines) => {
        const once = clean(text, { lines });
        if (once !== undefined) expect(clean(once, { lines, on: 'refuse' })).toBe(once);
      },
    ),
    { numRuns: 1_000 },
  );
});

describe('a mistake in the options throws, and says how to mend it:', () => {
  test.each([
    [{ maxlength: 3 }, /safeText\(\{ maxlength \}\).*Did you mean 'maxLength'\?/],
    [{ maxLength: 0 }, /maxLength.*at least 1/],
    [{ maxLength: 1.5 }, /maxLength.*at least 1/],
    [{ maxLength: '3' }, /maxLength.*at least 1/],
    [{ maxLength: Number.POSITIVE_INFINITY }, /maxLength.*at least 1/],
    [{ minLength: -1 }, /minLength.*at least 0/],
    [{ minLength: 4, maxLength: 3 }, /minLength.*4 is more than maxLength, 3/],
    [{ lines: 'yes' }, /lines.*yes is not an option/],
    [{ on: 'ignore' }, /on.*ignore is not an option.*remove or refuse/],
    ['500', /safeText\(\).*not an object/],
  ])('safeText(%j) throws a PolicyError with the fix', (options, message) => {
    expect(() => safeText(options as SafeTextOptions)).toThrow(message);
    expect(() => safeText(options as SafeTextOptions)).toThrow(
      expect.objectContaining({ name: 'PolicyError' }),
    );
  });
});
