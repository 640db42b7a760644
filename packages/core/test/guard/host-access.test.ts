import { inspect } from 'node:util';
import { expect, test } from '@jest/globals';
import type { AnyGuard } from '@sallyport/core';
import { hostGuard, isGuard } from '@sallyport/core/host';
import { guardOf } from '../support/guards.ts';

test('hostGuard returns one object for a guard, and another for its extension', () => {
  const guard = guardOf({});
  expect(hostGuard(guard)).toBe(hostGuard(guard));
  expect(hostGuard(guard.extend({ name: 'admin' }))).not.toBe(hostGuard(guard));
});

test.each([undefined, null, 'guard', 7, {}, () => {}])('hostGuard throws for %p', (value) => {
  expect(isGuard(value)).toBe(false);
  expect(() => hostGuard((value ?? {}) as AnyGuard)).toThrow(
    new TypeError('This is no guard. Make one with createGuard.'),
  );
});

test('neither the keys nor the printout of a guard show its internals', () => {
  const guard = guardOf({});
  expect(isGuard(guard)).toBe(true);
  expect([Object.keys(guard), inspect(guard, { showHidden: true })]).toEqual([
    [],
    expect.not.stringContaining('HostGuard'),
  ]);
});
