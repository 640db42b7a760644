import { describe, expect, test } from '@jest/globals';
import type { Store } from '@sallyport/core/store';
import type { Subject } from '../store.ts';

const INTERVAL = 60_000;

async function share(store: Store, key: string, hits: number, interval = INTERVAL): Promise<number> {
  const [own = Number.NaN] = await store.shares([{ key, hits }], interval);
  return own;
}

export function sharesSuite(subject: () => Subject): void {
  describe('shares', () => {
    test('the share of a key that only one node uses is 1', async () => {
      const { store } = await subject().realm.node();
      const demands = Array.from({ length: 450 }, (_, i) => ({ key: `messages user ${i}`, hits: i }));
      expect(await store.shares(demands, INTERVAL)).toEqual(demands.map(() => 1));
      expect(await store.shares([], INTERVAL)).toEqual([]);
    });
  });
}

/** For stores that several nodes share. */
export function sharedSharesSuite(subject: () => Subject): void {
  describe('shares of several nodes', () => {
    test('shares add up to 1 after three rounds of constant demand, and busier nodes have larger ones', async () => {
      const { realm } = subject();
      const nodes = await Promise.all([1, 2, 3, 4].map(() => realm.node()));
      const hits = [100, 10, 1, 0];
      let shares: number[] = [];
      for (let round = 0; round < 3; round++) {
        shares = [];
        for (const [i, { store }] of nodes.entries())
          shares.push(await share(store, 'messages alice', hits[i] ?? 0));
      }
      // The last node has no demand. It gets a small share in case that changes, beyond the 1 of the others.
      expect(shares.slice(0, 3).reduce((sum, one) => sum + one, 0)).toBeCloseTo(1, 9);
      const [busy = 0, less = 0, least = 0, idle = 0] = shares;
      expect(busy).toBeGreaterThan(less);
      expect(less).toBeGreaterThan(least);
      expect(least).toBeGreaterThanOrEqual(1 / 12);
      expect(idle).toBeGreaterThan(0);
    });

    test('a new node gets a share of at least 1/8, and a node gets 1 once the other one is gone', async () => {
      const { realm } = subject();
      const [old, fresh] = await Promise.all([realm.node(), realm.node()]);
      const interval = 300;
      expect(await share(old.store, 'messages bob', 1_000, interval)).toBe(1);
      expect(await share(fresh.store, 'messages bob', 1, interval)).toBeGreaterThanOrEqual(1 / 8);
      expect(await share(old.store, 'messages bob', 1_000, interval)).toBeLessThan(7 / 8 + 1e-9);
      await realm.pass(2 * interval + 10);
      expect(await share(old.store, 'messages bob', 1_000, interval)).toBe(1);
    });

    test('a node without demand in this interval is weighed at half of its last demand', async () => {
      const { realm } = subject();
      const [a, b] = await Promise.all([realm.node(), realm.node()]);
      await share(a.store, 'messages carol', 100);
      await share(b.store, 'messages carol', 50);
      expect(await share(a.store, 'messages carol', 0)).toBeCloseTo(1 / 2, 9);
    });
  });
}
