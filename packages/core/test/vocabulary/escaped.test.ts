import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { escaped } from '../../src/vocabulary/escaped.ts';

test.each([
  ['a line feed', 'a\nb', 'a\\u000ab'],
  ['a carriage return', 'a\rb', 'a\\u000db'],
  ['the escape of a terminal', '\u001b[2J', '\\u001b[2J'],
  ['its form of one byte (C1)', '\u009b2J', '\\u009b2J'],
  ['a delete', '\u007f', '\\u007f'],
  ['a next line', '\u0085', '\\u0085'],
  ['separators of lines and paragraphs', '\u2028\u2029', '\\u2028\\u2029'],
  ['a right-to-left override', '\u202egpj.exe', '\\u202egpj.exe'],
  ['a zero-width space', 'ad\u200bmin', 'ad\\u200bmin'],
  ['a tag character', '\u{e0041}', '\\udb40\\udc41'],
  ['a lone surrogate', 'a\ud800', 'a\\ud800'],
])('%s is escaped as in JSON', (_what, text, expected) => {
  expect(escaped(text)).toBe(expected);
});

test.each(['', '/chat', 'https://app.example.com', 'josé', '李', '👩', 'a\\u000ab', '/a~1b'])(
  '%j stays as it is',
  (text) => {
    expect(escaped(text)).toBe(text);
  },
);

test('property: what comes out has no such character, and is read back by JSON', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const out = escaped(text);
      expect(out).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
      if (!/["\\]/.test(text)) expect(JSON.parse(`"${out}"`)).toBe(text);
    }),
  );
});
