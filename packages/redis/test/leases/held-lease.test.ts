import { expect, test } from '@jest/globals';
import { HeldLease } from '../../src/leases/held-lease.ts';

const tick = () => new Promise<void>((resolve) => queueMicrotask(resolve));

function leaseWith(released: HeldLease[] = []): HeldLease {
  const owner = { released: (lease: HeldLease) => released.push(lease) };
  return new HeldLease(
    owner,
    'id',
    ['k1', 'k2'],
    [
      { key: 'a', cap: 1 },
      { key: 'b', cap: 2 },
    ],
  );
}

test('each slot of a lease has its own holder', () => {
  const { slots } = leaseWith();
  expect(slots.map(({ key, cap, holder }) => [key, cap, holder])).toEqual([
    ['k1', 1, 'id.0'],
    ['k2', 2, 'id.1'],
  ]);
});

test('a lease is released once and is not lost afterwards', async () => {
  const released: HeldLease[] = [];
  const lease = leaseWith(released);
  let lost = 0;
  lease.onLost(() => lost++);
  lease.release();
  lease.release();
  expect(released).toEqual([lease]);
  lease.onLost(() => lost++);
  await tick();
  expect(lost).toBe(0);
});

test('a lost lease calls its listeners once, later ones at once, and releases nothing', async () => {
  const released: HeldLease[] = [];
  const lease = leaseWith(released);
  const told: string[] = [];
  lease.onLost(() => told.push('first'));
  lease.lose();
  lease.onLost(() => told.push('second'));
  expect(told).toEqual(['second']);
  await tick();
  lease.lose();
  lease.release();
  await tick();
  expect([told, released]).toEqual([['second', 'first'], []]);
});
