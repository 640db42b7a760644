import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { escapeStep, keyOfStep } from '../../src/message/json-pointer.ts';

test('a key becomes a step of RFC 6901, and the step names the key again', () => {
  expect(escapeStep('a/b~c~1')).toBe('a~1b~0c~01');
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('~', '/', '0', '1', 'a') }), (key) => {
      expect(keyOfStep(escapeStep(key))).toBe(key);
    }),
  );
});

test('a step with broken percent-encoding names no key', () => {
  expect(keyOfStep('a%20b')).toBe('a b');
  expect(keyOfStep('%E0%A4%A')).toBeUndefined();
});
