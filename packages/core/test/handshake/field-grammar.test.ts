import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { listEntries, lowerCase, withoutBlanks } from '../../src/handshake/field-grammar.ts';

const bytes = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) });
const blanks = fc.string({ unit: fc.constantFrom(' ', '\t') });

test('spaces and tabs around a text are taken off, whatever bytes stand between', () => {
  const text = bytes.filter((inner) => !/^[ \t]|[ \t]$/.test(inner));
  fc.assert(
    fc.property(blanks, text, blanks, (before, inner, after) => {
      expect(withoutBlanks(before + inner + after)).toBe(inner);
    }),
  );
});

test.each(['\u00a0', '\u0085', '\u000b', '\u000c', '\u0000', '\r', '\n', '\u00ad', '\ufeff', '\u2003'])(
  '%j is no blank: it stays at the ends of a text',
  (odd) => {
    expect(withoutBlanks(` ${odd}a${odd}\t`)).toBe(`${odd}a${odd}`);
  },
);

test('a text of blanks alone is empty', () => {
  expect(withoutBlanks(' \t ')).toBe('');
});

test('a list is read up to its bound, and is undefined beyond it', () => {
  expect(listEntries('a ,\tb, ', 3)).toEqual(['a', 'b', '']);
  expect(listEntries('a,b,c', 2)).toBeUndefined();
});

test('letters A to Z become lower case, and no other character changes', () => {
  fc.assert(
    fc.property(bytes, (text) => {
      const expected = [...text].map((c) =>
        c >= 'A' && c <= 'Z' ? String.fromCharCode(c.charCodeAt(0) + 32) : c,
      );
      expect(lowerCase(text)).toBe(expected.join(''));
    }),
  );
  // U+212A, the sign for kelvin, which JavaScript's own toLowerCase makes a k of.
  expect(lowerCase('WebSoc\u212aet')).toBe('websoc\u212aet');
});
