import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isAcceptable, parseJson, UNREADABLE } from '../../src/message/parse.ts';

const BOUNDS = { depth: 4, keys: 5, items: 3, text: 10, number: 1_000 };

function readable(text: string): boolean {
  const value = parseJson(text);
  return value !== UNREADABLE && isAcceptable(value, BOUNDS, text);
}

describe('refused', () => {
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
  ])('%s', (_, text) => {
    expect(readable(text)).toBe(false);
  });
});

describe('taken', () => {
  test.each([
    '7',
    'null',
    '"text"',
    '{"constructor":"Ford"}',
    '{"a":"\\"b\\":1"}',
    '{"a":":::","b":"\\\\"}',
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
  ])('%s', (text) => {
    expect(readable(text)).toBe(true);
  });
});

test('whatever the text, it never throws, and gives what JSON.parse gives or nothing', () => {
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
