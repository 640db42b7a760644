import { describe, expect, test } from '@jest/globals';
import type { Kind } from '../../src/vocabulary/option.ts';
import {
  budget,
  byteRate,
  callback,
  checkedValue,
  choice,
  count,
  duration,
  flag,
  names,
  orFalse,
  rate,
  size,
  text,
} from '../../src/vocabulary/option-kinds.ts';
import {
  object,
  option,
  optional,
  readOnlyOptions,
  readOptions,
  required,
  switchable,
} from '../../src/vocabulary/option-table.ts';

const unsafe = Symbol('sallyport.unsafeThing');
const anything: Kind<unknown> = checkedValue('any', () => true, '', '');

describe('readOptions', () => {
  const table = {
    wait: option(duration, '10s'),
    most: optional(count, 'none'),
    name: required(text('Give a name.')),
    inner: option(object({ bytes: option(size, '1KiB'), deep: optional(flag, 'no') }), {}),
  };
  const read = (given: unknown) => readOptions(table, given, 'policy');

  test('readOptions adds defaults as if they had been written', () => {
    expect(read({ name: 'a' })).toEqual({ wait: 10_000, name: 'a', inner: { bytes: 1_024 } });
  });

  test('readOptions reads the given options', () => {
    const given = { wait: 5, most: 7, name: 'a', inner: { bytes: '2KiB', deep: false } };
    expect(read(given)).toEqual({ wait: 5, most: 7, name: 'a', inner: { bytes: 2_048, deep: false } });
  });

  test('readOptions takes undefined for absent and refuses null', () => {
    expect(read({ wait: undefined, name: 'a' }).wait).toBe(10_000);
    expect(() => read({ wait: null, name: 'a' })).toThrow(/^policy\.wait: null is not a duration/);
    expect(() => read({ most: null, name: 'a' })).toThrow(/^policy\.most: null is not a whole number/);
  });

  test('readOptions refuses a missing required option with the words of its kind', () => {
    expect(() => read({})).toThrow('policy.name: it is no text. Give a name.');
  });

  test('readOptions ignores unknown options, except in an object within', () => {
    expect(() => read({ name: 'a', other: 1 })).not.toThrow();
    expect(() => read({ name: 'a', inner: { byte: 1 } })).toThrow(
      "policy.inner.byte: unknown option. Did you mean 'bytes'?",
    );
    expect(() => readOnlyOptions(table, { nam: 'a' }, 'f()')).toThrow(
      "f({ nam }): unknown option. Did you mean 'name'?",
    );
  });

  test.each([5, [], 'text', null])('readOptions refuses %j as an object of options', (given) => {
    expect(() => read(given)).toThrow(/^policy: it is not an object/);
  });
});

describe('kinds', () => {
  const taken: [string, Kind<unknown, unknown>, unknown, unknown][] = [
    ['a duration', duration, '1.5s', 1_500],
    ['a size', size, '16KiB', 16_384],
    ['a rate', rate, '20/s', { interval: 50, burst: 20 }],
    ['a byte rate', byteRate, '1000B/s', { interval: 1, burst: 1_000 }],
    ['a budget', budget, 10, { interval: 60_000, burst: 10 }],
    ['a count', count, 3, 3],
    ['a flag', flag, false, false],
    ['a choice', choice('a', 'b'), 'b', 'b'],
    ['a choice of a symbol', choice('a', unsafe), unsafe, unsafe],
    ['a list of names', names, ['a'], ['a']],
    ['false', orFalse(duration), false, false],
    ['what could have been false', orFalse(duration), '1s', 1_000],
    ['a switch that is off', switchable({ a: option(count, 1) }), false, false],
    ['a switch that is on', switchable({ a: option(count, 1) }), true, { a: 1 }],
    ['a switch with options', switchable({ a: option(count, 1) }), { a: 2 }, { a: 2 }],
    ['anything', anything, undefined, undefined],
  ];
  test.each(taken)('reading %s returns its setting', (_what, kind, value, expected) => {
    expect(kind.read(value, 'o')).toEqual(expected);
  });

  const refused: [string, Kind<unknown, unknown>, unknown, RegExp][] = [
    ['a duration without a unit', duration, '10', /^o: '10' is not a duration/],
    ['a flag that is a text', flag, 'true', /^o: true is not an option\. Use true or false\.$/],
    ['another word', choice('a', 'b'), 'c', /^o: c is not an option\. Use a or b\.$/],
    ['another symbol', choice('a', unsafe), Symbol('other'), /^o: .*unsafeThing/],
    ['an empty list', names, [], /^o: it is not a list of names, or an empty one/],
    ['a list of numbers', names, [1], /^o: it is not a list of names/],
    ['true where only false is a switch', orFalse(duration), true, /^o: true is not a duration/],
    ['a switch that is a text', switchable({}), 'on', /^o: it is not an object/],
    ['a misspelt option of a switch', switchable({ early: option(count, 1) }), { earyl: 1 }, /'early'/],
    ['an empty text', text('Give one.'), '', /^o: it is no text\. Give one\.$/],
    ['a value that is no function', callback('Give one.'), {}, /^o: it is not a function\. Give one\.$/],
  ];
  test.each(refused)('reading %s throws a PolicyError', (_what, kind, value, message) => {
    expect(() => kind.read(value, 'o')).toThrow(message);
  });

  test('each kind names the type that users write', () => {
    expect(choice('a', unsafe, false).type).toBe("'a' | unsafeThing | false");
    expect(orFalse(duration).type).toBe('Duration | false');
    expect(flag.type).toBe('boolean');
  });
});
