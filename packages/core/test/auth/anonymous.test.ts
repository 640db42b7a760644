import { expect, test } from '@jest/globals';
import { anonymous } from '../../src/auth/anonymous.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { present } from '../support/present.ts';

test('the subject is the address, and nothing is claimed', async () => {
  const identity = await present(anonymous(), undefined, new ManualClock(), { address: '2001:db8::1' });
  expect(identity).toEqual({ scheme: 'anonymous', subject: 'anonymous@2001:db8::1', claims: {} });
  expect(Object.isFrozen(identity)).toBe(true);
});

test('it is ambient, so that a right Origin is necessary', () => {
  expect(anonymous()).toMatchObject({ ambient: true, from: [] });
});
