import { expect, test } from '@jest/globals';
import type { Acquired, Lease } from '@sallyport/core/store';
import { Leases } from '../../src/leases/leases.ts';
import { Keys } from '../../src/redis-keys.ts';
import { Runner } from '../../src/runner.ts';
import { RELEASE, RENEW, TAKE } from '../../src/scripts/slot-scripts.ts';
import { FakePort } from '../support/fake-port.ts';

const ONE = [{ key: 'connections', cap: 1 }];
/** On a Cluster their hash slots differ. */
const TWO = [...ONE, { key: 'address a', cap: 1 }];
const TAKEN = [-1, 0];

const settled = async () => {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
};

function leasesOn(port: FakePort, { timeout = 10_000, leaseTtl = 30_000 } = {}): Leases {
  return new Leases(new Runner(port, timeout, 100), new Keys('test'), 'node', leaseTtl);
}

/** What was sent with one script, and not answered before. */
function asked(port: FakePort, script: typeof TAKE) {
  return port.sent.filter((sent) => sent.script === script);
}

/** The holders that were given back. */
function released(port: FakePort): string[] {
  return asked(port, RELEASE).flatMap(({ args }) => args.filter((arg) => arg.startsWith('node.')));
}

function leaseOf(acquired: Acquired): Lease {
  if ('lease' in acquired) return acquired.lease;
  throw new Error(`slot ${acquired.full} was full`);
}

test('slots that may have been taken without an answer are released', async () => {
  const port = new FakePort();
  const attempt = leasesOn(port).acquire(ONE);
  asked(port, TAKE)[0]?.reject(new Error('Connection is closed.'));
  await expect(attempt).rejects.toThrow('Connection is closed.');
  await settled();
  expect(released(port)).toEqual(['node.0.0']);
});

test('slots that were taken after the deadline are released then', async () => {
  const port = new FakePort();
  await expect(leasesOn(port, { timeout: 100 }).acquire(ONE)).rejects.toMatchObject({ code: 'timeout' });
  await settled();
  asked(port, RELEASE)[0]?.resolve(1);
  await settled();
  asked(port, TAKE)[0]?.resolve(TAKEN);
  await settled();
  expect(released(port)).toEqual(['node.0.0', 'node.0.0']);
});

test('slots that are released during their renewal are released once more afterwards', async () => {
  const port = new FakePort();
  const leases = leasesOn(port);
  const attempt = leases.acquire(ONE);
  asked(port, TAKE)[0]?.resolve(TAKEN);
  const lease = leaseOf(await attempt);
  leases.renewNow();
  await settled();
  expect(asked(port, RENEW)).toHaveLength(1);
  lease.release();
  await settled();
  asked(port, RELEASE)[0]?.resolve(1);
  await settled();
  asked(port, RENEW)[0]?.resolve([]);
  await settled();
  expect(released(port)).toEqual(['node.0.0', 'node.0.0']);
});

test('on a Cluster slots are taken for half a lease, and extended once all are taken', async () => {
  const port = new FakePort();
  port.cluster = true;
  const attempt = leasesOn(port).acquire(TWO);
  const takes = asked(port, TAKE);
  expect(takes.map(({ args: [ttl] }) => ttl)).toEqual(['15000', '15000']);
  for (const take of takes) take.resolve(TAKEN);
  leaseOf(await attempt);
  await settled();
  expect(asked(port, RENEW).map(({ args: [ttl] }) => ttl)).toEqual(['30000', '30000']);
  expect(released(port)).toEqual([]);
});

test('on a Cluster taken slots are released at once if another one is full', async () => {
  const port = new FakePort();
  port.cluster = true;
  const attempt = leasesOn(port).acquire(TWO);
  const [first, second] = asked(port, TAKE);
  first?.resolve(TAKEN);
  second?.resolve([0, 0]);
  expect(await attempt).toEqual({ full: 1 });
  await settled();
  expect(released(port)).toEqual(['node.0.0']);
});

test('on a Cluster a provisional refusal is retried with new holders, the full slot first', async () => {
  const port = new FakePort();
  port.cluster = true;
  const attempt = leasesOn(port).acquire(TWO);
  const [first, second] = asked(port, TAKE);
  first?.resolve(TAKEN);
  second?.resolve([0, 1]);
  for (let answered = 2; answered < 4; answered++) {
    while (asked(port, TAKE).length <= answered) await settled();
    asked(port, TAKE)[answered]?.resolve(TAKEN);
  }
  leaseOf(await attempt);
  const [, , third, fourth] = asked(port, TAKE);
  expect([third?.keys, fourth?.keys]).toEqual([second?.keys, first?.keys]);
  expect([third?.args.at(-2), fourth?.args.at(-2)]).toEqual(['node.1.1', 'node.1.0']);
});

test('on a Cluster a provisional refusal is retried a bounded number of times', async () => {
  const port = new FakePort();
  port.cluster = true;
  const attempt = leasesOn(port).acquire(ONE);
  let done = false;
  void attempt.then(() => {
    done = true;
  });
  for (let answered = 0; !done; await settled()) {
    for (; answered < port.sent.length; answered++) port.sent[answered]?.resolve([0, 1]);
  }
  expect(await attempt).toEqual({ full: 0 });
  expect(asked(port, TAKE)).toHaveLength(6);
});

test('a lost slot loses the whole lease, and its other slots are released', async () => {
  const port = new FakePort();
  const leases = leasesOn(port);
  const attempt = leases.acquire(TWO);
  asked(port, TAKE)[0]?.resolve(TAKEN);
  const lease = leaseOf(await attempt);
  const lost = new Promise<boolean>((resolve) => lease.onLost(resolve));
  leases.renewNow();
  await settled();
  asked(port, RENEW)[0]?.resolve([1]);
  await lost;
  await settled();
  expect(released(port)).toEqual(['node.0.0', 'node.0.1']);
  leases.renewNow();
  await settled();
  expect(asked(port, RENEW)).toHaveLength(1);
});
