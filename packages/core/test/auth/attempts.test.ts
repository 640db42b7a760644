import { expect, test } from '@jest/globals';
import { Attempts } from '../../src/auth/attempts.ts';
import { memoryStore } from '../../src/limits/memory-store.ts';
import { ManualClock } from '../support/manual-clock.ts';

const limit = { interval: 1_000, burst: 2 };
const address = { bucket: '2001:db8::/64', coarser: '2001:db8::/56' };

test('looking spends nothing; failing does, until time gives it back', () => {
  const clock = new ManualClock();
  const attempts = new Attempts(memoryStore({ clock }), limit);
  for (let i = 0; i < 10; i++) expect(attempts.check(address)).toBeUndefined();
  attempts.failed(address);
  expect(attempts.check(address)).toBeUndefined();
  attempts.failed(address);
  expect(attempts.check(address)).toMatchObject({ reason: 'auth_attempts', retryAfter: 1_000 });
  expect(attempts.check({ ...address, bucket: '2001:db8:1::/64' })).toBeUndefined();
  clock.advance(1_000);
  expect(attempts.check(address)).toBeUndefined();
});

test('handshakes of the same address have a budget of their own', () => {
  const clock = new ManualClock();
  const store = memoryStore({ clock });
  for (let i = 0; i < 10; i++) store.hit(address.bucket, address.coarser, limit);
  expect(new Attempts(store, limit).check(address)).toBeUndefined();
});
