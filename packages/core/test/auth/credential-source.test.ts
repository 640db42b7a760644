import { describe, expect, test } from '@jest/globals';
import { bearer, cookie, query, sourceKey, subprotocol } from '../../src/auth/credential-source.ts';

test.each([
  [bearer(), false],
  [bearer({ ambient: false }), false],
  [bearer({ ambient: true }), true],
  [cookie('session'), true],
  [subprotocol(), false],
  [query('token'), false],
])('source %j is ambient: %s', (source, ambient) => {
  expect(source.ambient).toBe(ambient);
});

describe('refused at construction', () => {
  test.each([
    [
      () => bearer({ ambiant: true } as never),
      /^bearer\(\{ ambiant \}\): unknown option\. Did you mean 'ambient'\?/,
    ],
    [
      () => subprotocol({ name: 'x' } as never),
      /^subprotocol\(\{ name \}\): unknown option\. The options are marker\./,
    ],
    [() => subprotocol({ marker: 'a b' }), /not a subprotocol name/],
    [() => subprotocol({ marker: '' }), /not a subprotocol name/],
    [() => cookie(''), /not a cookie name/],
    [() => cookie('a=b'), /not a cookie name/],
    [() => cookie('a;b'), /not a cookie name/],
    [() => cookie(undefined as never), /not a cookie name/],
    [() => query(''), /not a parameter name/],
    [() => query(7 as never), /not a parameter name/],
  ])('%s throws a PolicyError', (make, message) => {
    expect(make).toThrow(message);
  });
});

test('two sources have equal keys if they read the same place', () => {
  expect(sourceKey(bearer({ ambient: true }))).toBe(sourceKey(bearer()));
  expect(sourceKey(cookie('a'))).not.toBe(sourceKey(query('a')));
  expect(sourceKey(subprotocol())).not.toBe(sourceKey(subprotocol({ marker: 'ticket' })));
});
