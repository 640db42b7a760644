import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { type IdentifierOptions, identifier } from '../../src/sanitize/identifier.ts';
import { sanitize } from '../../src/sanitize/sanitize.ts';

const accepts = (text: string, options?: IdentifierOptions) => {
  const result = sanitize(identifier(options), text);
  expect([text, undefined]).toContain(result);
  return result !== undefined;
};

describe('taken', () => {
  test.each([
    'a',
    '_',
    '_id',
    'users',
    'Order2',
    'snake_case',
    'con1',
    'com',
    'com10',
    'xcon',
    'nul_',
    'proto',
  ])('identifier %s passes', (name) => {
    expect(accepts(name)).toBe(true);
  });
});

describe('refused', () => {
  test.each([
    ['nothing', ''],
    ['a digit first', '1a'],
    ['a dash', 'a-b'],
    ['a space', 'a b'],
    ['a quote', 'a"b'],
    ['an apostrophe', "a'--"],
    ['a semicolon', 'a;drop'],
    ['a dot', 'a.b'],
    ['a parent folder', '../etc/passwd'],
    ['a path', 'a/b'],
    ['a Windows path', 'a\\b'],
    ['a drive', 'c:'],
    ['NUL', 'a\0'],
    ['a line feed at the end', 'a\n'],
    ['a line feed first', '\na'],
    ['a letter with an accent', 'é'],
    ['a Cyrillic letter', '\u0430dmin'],
    ['a full-width letter', 'ａ'],
    ['the Kelvin sign, which folds to k', '\u212a'],
    ['a long s', '\u017f'],
    ['a zero-width space', 'a\u200b'],
    ['a lone surrogate', 'a\ud800'],
    ['a dollar', 'a$b'],
    ['the key of a prototype', '__proto__'],
    ...['CON', 'con', 'Prn', 'AUX', 'nul', 'COM1', 'com9', 'COM0', 'LPT1', 'lpt9'].map((name) => [
      'a device',
      name,
    ]),
  ] as [string, string][])('identifier with %s is refused: %j', (_name, text) => {
    expect(accepts(text)).toBe(false);
    expect(accepts(text, { dashes: true })).toBe(text === 'a-b');
  });
});

describe('dashes, where they are asked for', () => {
  test.each([
    ['a-b', true],
    ['a-', true],
    ['a--b', true],
    ['_-', true],
    ['-a', false],
    ['-rf', false],
    ['a-b.c', false],
    ['con', false],
  ])('with dashes allowed, the identifier %s passes: %j', (text, taken) => {
    expect(accepts(text, { dashes: true })).toBe(taken);
  });
});

test('names outside minLength and maxLength are refused', () => {
  expect(accepts('a'.repeat(63))).toBe(true);
  expect(accepts('a'.repeat(64))).toBe(false);
  expect(accepts('aaa', { maxLength: 3 })).toBe(true);
  expect(accepts('aaaa', { maxLength: 3 })).toBe(false);
  expect(accepts('aa', { minLength: 3 })).toBe(false);
  expect(accepts('aaa', { minLength: 3 })).toBe(true);
});

test('the schema of an identifier holds its pattern and lengths', () => {
  const { pattern, ...keywords } = JSON.parse(JSON.stringify(identifier({ minLength: 2, maxLength: 5 })));
  expect(keywords).toEqual({ type: 'string', minLength: 2, maxLength: 5 });
  for (const [name, fits] of [
    ['ab', true],
    ['a', false],
    ['abcdef', false],
    ['cOn', false],
    ['a-b', false],
  ] as const)
    expect([name, new RegExp(pattern, 'u').test(name)]).toEqual([name, fits]);
});

test('identifier() as the key of a record is checked completely', () => {
  const record = Compile(
    Type.Record(identifier({ maxLength: 5 }), Type.Number(), { additionalProperties: false }),
  );
  expect(record.Check({ a: 1, b_2: 2 })).toBe(true);
  for (const key of ['abcdef', 'con', 'COM1', '', 'a-b', '__PROTO__'])
    expect([key, record.Check({ [key]: 1 })]).toEqual([key, false]);
});

test('property: what passes consists of letters, digits and underscores', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.stringMatching(/^\w*.?\w*$/)),
      (text) => {
        const expected = /^[a-zA-Z_][a-zA-Z0-9_]{0,62}$/.test(text) && text.split('\n').length === 1;
        const reserved = /^(con|prn|aux|nul|(com|lpt)[0-9]|__proto__)$/i.test(text);
        expect(accepts(text)).toBe(expected && !reserved);
      },
    ),
    { numRuns: 500 },
  );
});

describe('a mistake in the options throws:', () => {
  test.each([
    [{ dash: true }, /identifier\(\{ dash \}\).*Did you mean 'dashes'\?/],
    [{ dashes: 1 }, /dashes.*not an option/],
    [{ minLength: 0 }, /minLength.*at least 1/],
    [{ maxLength: 0 }, /maxLength.*at least 1/],
  ])('identifier(%j) throws a PolicyError', (options, message) => {
    expect(() => identifier(options as IdentifierOptions)).toThrow(message);
  });
});
