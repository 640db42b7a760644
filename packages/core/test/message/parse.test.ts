import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isAcceptable, parseJson, UNREADABLE } from '../../src/message/parse.ts';
import { jsonText } from '../support/json-text.ts';

const BOUNDS = { depth: 4, keys: 5, items: 3, text: 10, number: 1_000 };

function readable(text: string): boolean {
  const value = parseJson(text);
  return value !== UNREADABLE && isAcceptable(value, BOUNDS, text);
}

describe('values that are refused', () => {
  test.each([
    ['no JSON', '{'],
    ['nothing', ''],
    ['two values', '{} {}'],
    ['a byte order mark', '\ufeff{}'],
    ['a lone __proto__', '{"__proto__":1}'],
    ['__proto__, escaped', '{"\\u005f\\u005fproto__":{}}'],
    ['__proto__ deep inside', '{"a":[{"b":{"__proto__":{}}}]}'],
    ['constructor.prototype', '{"constructor":{"prototype":{}}}'],
    ['constructor.prototype that is empty', '{"constructor":{"prototype":null}}'],
    ['five objects deep', '{"a":{"a":{"a":{"a":{}}}}}'],
    ['five lists deep', '[[[[[]]]]]'],
    ['six keys', '{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1}'],
    ['six keys in all', '[{"a":1,"b":1},{"a":1,"b":1},{"a":1,"b":1}]'],
    ['four items', '[1,2,3,4]'],
    ['a list a million deep', '['.repeat(1_000_000)],
    ['a text too long', '{"a":"12345678901"}'],
    ['infinity', '{"a":1e999}'],
    ['minus infinity, in a list', '[-1e999]'],
    ['a number beyond the bound', '{"a":1001}'],
    ['a number below the bound', '{"a":-1000.5}'],
    ['a repeated key', '{"a":1,"a":1}'],
    ['a repeated key with a blank before its colon', '{"a" :1,"a"\n:2}'],
    ['a repeated key, escaped', '{"a":1,"\\u0061":1}'],
    ['a repeated key deep inside', '[{"b":{"a":1,"a":2}}]'],
    ['a repeated key beside texts that look like keys', '{"a":"\\":","a":":"}'],
    ['a repeated empty key', '{"":1,"":2}'],
    ['a closed list a hundred thousand deep', '['.repeat(100_000) + ']'.repeat(100_000)],
  ])('a message with %s is refused', (_, text) => {
    expect(readable(text)).toBe(false);
  });
});

describe('values that are accepted', () => {
  test.each([
    '7',
    'null',
    '"text"',
    '{"constructor":"Ford"}',
    '{"a":"\\"b\\":1"}',
    '{"a":":::","b":"\\\\"}',
    '{"a":"\\\\","b":"x:"}',
    '{"a\\\\":"x:"}',
    '{"a" : "x:y" , "b" :[":", "\\":"]}',
    '{"a":{"a":1},"b":[{"a":1}]}',
    '{"a":1000,"b":-1000}',
    '{"a":"1234567890"}',
    '{"constructor":{"name":"x"}}',
    '{"prototype":1,"proto":2}',
    '{"a":{"a":{"a":{"a":1}}}}',
    '[[[[]]]]',
    '{"a":1,"b":1,"c":1,"d":1,"e":1}',
    '[1,2,3]',
  ])('%s is accepted as a message', (text) => {
    expect(readable(text)).toBe(true);
  });
});

test('property: parsing never throws, and returns what JSON.parse returns or nothing', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.jsonValue().map((value) => JSON.stringify(value)),
      ),
      (text) => {
        const value = parseJson(text);
        isAcceptable(value === UNREADABLE ? undefined : value, BOUNDS, text);
        if (value !== UNREADABLE) expect(value).toEqual(JSON.parse(text));
      },
    ),
  );
});

describe('repeated keys', () => {
  const WIDE = { depth: 100, keys: 10_000, items: 10_000, text: 10_000, number: 10_000 };
  const repeats = (text: string) => !isAcceptable(JSON.parse(text), WIDE, text);

  test('property: a repeated key is found exactly where the text has one', () => {
    const seen = { repeated: 0, single: 0 };
    fc.assert(
      fc.property(jsonText(), ({ text, repeats: expected }) => {
        seen[expected ? 'repeated' : 'single']++;
        expect(repeats(text)).toBe(expected);
      }),
      { seed: 1, numRuns: 3_000 },
    );
    // Both answers occurred.
    expect(Math.min(seen.repeated, seen.single)).toBeGreaterThan(100);
  });

  test('property: keys in the text are counted like a tokenizer does', () => {
    fc.assert(
      fc.property(jsonText(), ({ text }) => {
        const written = text.replace(/"(?:[^"\\]|\\.)*"/g, '"').match(/"\s*:/g)?.length ?? 0;
        let parsed = 0;
        JSON.parse(text, function (this: unknown, _key, value: unknown) {
          if (!Array.isArray(this)) parsed++;
          return value;
        });
        // The reviver is also called for the whole value.
        expect(repeats(text)).toBe(written > parsed - 1);
      }),
      { seed: 2, numRuns: 1_000 },
    );
  });

  test('repeated keys are found in long texts with any escapes', () => {
    for (const piece of ['\\\\', '\\"', ':', '\\u0022:', ' ']) {
      const long = piece.repeat(30_000);
      const [single, repeated] = [`{"a":"${long}"}`, `{"a":"${long}","a":":"}`];
      const bounds = { ...WIDE, text: 1e6 };
      expect(isAcceptable(JSON.parse(single), bounds, single)).toBe(true);
      expect(isAcceptable(JSON.parse(repeated), bounds, repeated)).toBe(false);
    }
  });

  test('without a text, repeated keys are not looked for', () => {
    expect(isAcceptable({ a: 1 }, WIDE)).toBe(true);
  });
});

describe('values that only a codec can produce', () => {
  const cyclic: unknown[] = [];
  cyclic.push(cyclic);
  const inherited = Object.create({ a: 1 }) as object;
  class Point {
    x = 1;
  }
  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['undefined inside', { a: undefined }],
    ['a hole in a list', new Array<number>(1)],
    ['a bigint', 1n],
    ['a symbol', Symbol('a')],
    ['a function', () => {}],
    ['not a number', Number.NaN],
    ['infinity', Number.POSITIVE_INFINITY],
    ['a Map', new Map([['a', 1]])],
    ['a Set', new Set([1])],
    ['a Date', new Date(0)],
    ['a RegExp', /a/],
    ['an instance', new Point()],
    ['an object with a prototype of its own', inherited],
    ['an ArrayBuffer', new ArrayBuffer(1)],
    ['floats', new Float64Array(1)],
    ['a list in itself', cyclic],
    ['bytes beyond limits.json.text', new Uint8Array(11)],
    ['bytes beyond it, inside', { a: [Buffer.alloc(11)] }],
    ['a boxed text', new String('a')],
  ])('a value of a codec with %s is refused', (_, value) => {
    expect(isAcceptable(value, BOUNDS)).toBe(false);
  });

  test.each<[string, unknown]>([
    ['bytes', new Uint8Array(10)],
    ['bytes inside', { a: [Buffer.alloc(10)] }],
    ['an object without a prototype', Object.assign(Object.create(null) as object, { a: 1 })],
    ['minus zero', -0],
  ])('a value of a codec with %s is accepted', (_, value) => {
    expect(isAcceptable(value, BOUNDS)).toBe(true);
  });

  test('an object without a prototype is refused with keys that pollute prototypes', () => {
    const bare = Object.create(null) as Record<string, unknown>;
    bare[JSON.parse('"__proto__"') as string] = { polluted: true };
    expect(isAcceptable(bare, BOUNDS)).toBe(false);
  });
});
