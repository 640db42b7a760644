import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { escapedText } from '../../src/sanitize/escaped-text.ts';
import { safeText } from '../../src/sanitize/safe-text.ts';
import { sanitize } from '../../src/sanitize/sanitize.ts';
import { hostileText } from '../support/hostile-text.ts';

describe('escapes', () => {
  test.each([
    ['&', '&amp;'],
    ['<', '&lt;'],
    ['>', '&gt;'],
    ['"', '&quot;'],
    ["'", '&#39;'],
    ['`', '&#96;'],
    ['&lt;', '&amp;lt;'],
    ['<img src=x onerror="alert(1)">', '&lt;img src=x onerror=&quot;alert(1)&quot;&gt;'],
    ['a\u200b<\u202eb', 'a&lt;b'],
    ['größer = ≥', 'größer = ≥'],
    // Each of them is a plain character to one who normalizes.
    ['\u1fef', '&#96;'],
    ['>\u0338', '\u226f'],
  ])('%j is escaped', (text, escaped) => {
    expect(sanitize(escapedText(), text)).toBe(escaped);
  });
});

test('lengths count before escaping, and the schema gives the lengths of the result', () => {
  const schema = escapedText({ minLength: 2, maxLength: 3 });
  expect(sanitize(schema, '"""')).toBe('&quot;&quot;&quot;');
  expect(sanitize(schema, '""""')).toBeUndefined();
  expect(sanitize(schema, '"')).toBeUndefined();
  expect(Object.fromEntries(Object.entries(schema))).toEqual({ type: 'string', minLength: 2, maxLength: 18 });
});

test('escapedText() takes the options of safeText()', () => {
  expect(sanitize(escapedText({ lines: true }), 'a\r\n<')).toBe('a\n&lt;');
  expect(sanitize(escapedText({ on: 'refuse' }), 'a\u200b<')).toBeUndefined();
  expect(() => escapedText({ maxLength: 0 })).toThrow(/^escapedText\(\{ maxLength \}\)/);
  expect(() => escapedText({ escape: true } as object)).toThrow(
    /^escapedText\(\{ escape \}\): unknown option/,
  );
});

test('property: the result holds no markup, and unescaped it equals the safe text', () => {
  const entities: Record<string, string> = {
    '&amp;': '&',
    '&lt;': '<',
    '&gt;': '>',
    '&quot;': '"',
    '&#39;': "'",
    '&#96;': '`',
  };
  fc.assert(
    fc.property(fc.oneof(hostileText, fc.string()), (text) => {
      const escaped = sanitize(escapedText(), text);
      expect(escaped).not.toMatch(/[<>"'`]|&(?!(?:amp|lt|gt|quot|#39|#96);)/);
      expect(escaped?.replace(/&[^;]*;/g, (entity) => entities[entity] ?? '')).toBe(
        sanitize(safeText(), text),
      );
    }),
    { numRuns: 1_000 },
  );
});
