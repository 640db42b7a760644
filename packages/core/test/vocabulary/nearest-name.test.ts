import { expect, test } from '@jest/globals';
import { nearestName } from '../../src/vocabulary/nearest-name.ts';

const NAMES = ['message', 'messages', 'bytes', 'throttle', 'controls', 'idle', 'lifetime', 'on'];

test.each([
  ['a letter too few', 'mesage', 'message'],
  ['a letter too many', 'messagge', 'message'],
  ['a wrong letter', 'messape', 'message'],
  ['two letters in the wrong order', 'idel', 'idle'],
  ['another case', 'LifeTime', 'lifetime'],
  ['two mistakes in a long name', 'contorl', 'controls'],
  ['the plural, where both numbers are names', 'mesages', 'messages'],
  ['the first of two that are equally near', 'messagez', 'message'],
  ['a short name with one mistake', 'o', 'on'],
])('a name with %s: %s is nearest to %s', (_what, given, expected) => {
  expect(nearestName(given, NAMES)).toBe(expected);
});

test.each([
  ['another word', 'cors'],
  ['another word of the same length', 'heading'],
  ['a short name with two mistakes', 'ab'],
  ['the beginning of a name', 'mess'],
  ['nothing', ''],
])('%s: %s is near no name', (_what, given) => {
  expect(nearestName(given, NAMES)).toBeUndefined();
});

test('a swap of letters costs one edit, and each letter is swapped once at most', () => {
  // "ca" to "abc" takes three edits where the swapped letters are not edited again, and two where they are (Damerau).
  expect(nearestName('caxxxxx', ['abcxxxxx'])).toBeUndefined();
  expect(nearestName('acxxxxx', ['caxxxxx'])).toBe('caxxxxx');
});
