import { expect, test } from '@jest/globals';
import { Shelf } from '../../src/asyncapi/shelf.ts';

test('an equal value keeps its name, and another one gets another name', () => {
  const shelf = new Shelf<object>();
  expect(shelf.put(['say', 'chat.say'], { a: 1 })).toBe('say');
  expect(shelf.put(['say', 'admin.say'], { a: 1 })).toBe('say');
  expect(shelf.put(['say', 'admin.say'], { a: 2 })).toBe('admin.say');
  expect(shelf.put(['say', 'admin.say'], { a: 3 })).toBe('admin.say.2');
  expect(shelf.put(['say', 'admin.say'], { a: 4 })).toBe('admin.say.3');
  expect(shelf.record).toEqual({
    say: { a: 1 },
    'admin.say': { a: 2 },
    'admin.say.2': { a: 3 },
    'admin.say.3': { a: 4 },
  });
});

test('a reserved name is kept for its value', () => {
  const shelf = new Shelf<number>();
  expect([shelf.reserve('a'), shelf.reserve('a'), shelf.put(['a'], 3)]).toEqual(['a', 'a.2', 'a.3']);
  shelf.fill('a', 1);
  shelf.fill('a.2', 2);
  expect(shelf.record).toEqual({ a: 1, 'a.2': 2, 'a.3': 3 });
});

test('every name becomes a key without escaping, and none changes a prototype', () => {
  const shelf = new Shelf<number>();
  expect(shelf.record).toBeUndefined();
  for (const [i, name] of ['text/say', 'text say', '~$', '', '__proto__', 'constructor'].entries())
    shelf.put([name], i);
  const { record = {} } = shelf;
  expect(Object.keys(record)).toEqual(['text_say', 'text_say.2', '__', '_', '__proto__', 'constructor']);
  expect(Object.getPrototypeOf(record)).toBe(Object.prototype);
  expect(Object.keys(record).every((key) => /^[\w.-]+$/.test(key))).toBe(true);
});
