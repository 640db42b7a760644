import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { escapeStep, unescapeStep } from '../../src/message/pointer-steps.ts';

test.each([
  ['a/b', 'a~1b'],
  ['m~n', 'm~0n'],
  ['~1', '~01'],
  ['', ''],
])('key %j is the step %j of a JSON Pointer', (key, step) => {
  expect(escapeStep(key)).toBe(step);
  expect(unescapeStep(step)).toBe(key);
});

test('property: a key survives escaping and percent-encoding', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (key) => {
      expect(unescapeStep(encodeURIComponent(escapeStep(key)))).toBe(key);
    }),
  );
});

test('a step with invalid percent-encoding is undefined', () => {
  expect(unescapeStep('%zz')).toBeUndefined();
});
