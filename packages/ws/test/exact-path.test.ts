import { describe, expect, test } from '@jest/globals';
import { PolicyError } from '@sallyport/core';
import { matchPath } from '../src/exact-path.ts';

const read = (path: unknown) => matchPath(path, 'guardServer(…, { path })');

describe('the path of a ws server', () => {
  test.each<[string, string, string]>([
    ['/chat', '/chat', '/chat/'],
    ['/chat/', '/chat/', '/chat'],
    ['/', '/', ''],
    ['/a%20b/%C3%BC', '/a%20b/%C3%BC', '/a b/ü'],
    ['/v1.2/~me/@all;x=1,2+3=!$&', '/v1.2/~me/@all;x=1,2+3=!$&', '/v1a2'],
    ['/ns:chat', '/ns:chat', '/nsx'],
  ])('%s matches %s and no other path, such as %s', (path, same, other) => {
    expect([read(path)(same), read(path)(other)]).toEqual([true, false]);
  });

  test('a function decides by itself', () => {
    const matches = read((path: string) => path.startsWith('/rooms/'));
    expect([matches('/rooms/7'), matches('/chat')]).toEqual([true, false]);
  });

  test.each<[unknown, string]>([
    ['*', 'Leave it out for every path.'],
    ['/*', 'Leave it out for every path.'],
    ['', "Write '/'."],
    ['chat', "Write '/chat'."],
    ['ws://localhost:3000/chat', "Write '/chat'."],
    ['/rooms/:id', 'Write a function: (path) => /^\\/rooms\\/[^/]+$/.test(path).'],
    ['/v1.0/{id}', 'Write a function: (path) => /^\\/v1\\.0\\/[^/]+$/.test(path).'],
    ['/rooms/*', 'Write a function: (path) => /^\\/rooms\\/[^/]+$/.test(path).'],
    ['/(a|b)', 'Write a function: (path) => /^\\/[^/]+$/.test(path).'],
    ['/chat?room=1', "Write '/chat'."],
    ['/chat#top', "Write '/chat'."],
    ['/a b', "Write '/a%20b'."],
    ['/grüße', "Write '/gr%C3%BC%C3%9Fe'."],
    ['/a/../chat', "Write '/chat'."],
    ['/./chat', "Write '/chat'."],
    ['/a\\b', "Write '/a/b'."],
    [/^\/chat$/, 'Write (path) => /^\\/chat$/.test(path).'],
    [7, "Write '/chat'."],
    [null, "Write '/chat'."],
    [['/a', '/b'], "Write '/chat'."],
    [{}, "Write '/chat'."],
  ])('%s can never match, so it throws and says what to write', (path, fix) => {
    expect(() => read(path)).toThrow(PolicyError);
    expect(() => read(path)).toThrow(fix);
    expect(() => read(path)).toThrow(/^guardServer\(…, \{ path \}\): /);
  });

  test.each(['/rooms/:id', '/v1.0/{id}', '/rooms/*'])(
    'what is said for %s matches what was meant',
    (path) => {
      let said = '';
      try {
        read(path);
      } catch (error) {
        said = /\(path\) => \/(.*)\/\.test/.exec((error as Error).message)?.[1] ?? '';
      }
      const meant = new RegExp(said);
      const at = (id: string) => path.replace(/(:id|\{id\}|\*)$/, id);
      expect([meant.test(at('7')), meant.test(at('7/8')), meant.test(at(''))]).toEqual([true, false, false]);
    },
  );
});
