import { expect, test } from '@jest/globals';
import { anonymous } from '../../src/auth/anonymous.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { present } from '../support/present.ts';

test('the identity of anonymous() has the address as its subject and no claims', async () => {
  const identity = await present(anonymous(), undefined, new ManualClock(), { address: '2001:db8::1' });
  expect(identity).toEqual({ scheme: 'anonymous', subject: 'anonymous@2001:db8::1', claims: {} });
  expect(Object.isFrozen(identity)).toBe(true);
});

test('anonymous() is ambient, so a foreign Origin is denied', () => {
  expect(anonymous()).toMatchObject({ ambient: true, from: [] });
});
