import { expect, test } from '@jest/globals';
import { RotatingCursor } from '../../src/limits/rotating-cursor.ts';

const take = (cursor: RotatingCursor, count: number) => Array.from({ length: count }, () => cursor.next());

test('a cursor returns every key of the map and then begins again', () => {
  const cursor = new RotatingCursor(new Map([...'abc'].map((key) => [key, 1])));
  expect(take(cursor, 7)).toEqual(['a', 'b', 'c', 'a', 'b', 'c', 'a']);
});

test('a cursor over an empty map returns undefined until a key is added', () => {
  const map = new Map<string, number>();
  const cursor = new RotatingCursor(map);
  expect(take(cursor, 2)).toEqual([undefined, undefined]);
  map.set('a', 1);
  expect(take(cursor, 2)).toEqual(['a', 'a']);
});

test('a cursor skips keys that were deleted and reaches those that were added', () => {
  const map = new Map([...'abc'].map((key) => [key, 1]));
  const cursor = new RotatingCursor(map);
  expect(cursor.next()).toBe('a');
  map.delete('b');
  map.set('d', 1);
  expect(take(cursor, 3)).toEqual(['c', 'd', 'a']);
});
