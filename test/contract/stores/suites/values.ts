import { describe, expect, test } from '@jest/globals';
import type { Subject } from '../store.ts';

export function valuesSuite(subject: () => Subject): void {
  describe('values', () => {
    test('a value is redeemed by exactly one of fifty calls at once on three nodes', async () => {
      const { realm } = subject();
      const nodes = await Promise.all([realm.node(), realm.node(), realm.node()]);
      for (const value of ['{"subject":"alice"}', 'ünïcødé \u0000 🂡', '']) {
        await nodes[0]?.store.put('ticket a', value, 30_000);
        const redeemed = await Promise.all(
          Array.from({ length: 50 }, (_, i) => nodes[i % 3]?.store.redeem('ticket a')),
        );
        expect(redeemed.filter((found) => found !== undefined)).toEqual([value]);
      }
    }, 60_000);

    test('a value can be redeemed until it expires, and not afterwards', async () => {
      const { realm } = subject();
      const { store } = await realm.node();
      await store.put('ticket b', 'lasting', 60_000);
      await store.put('ticket c', 'short', 150);
      await realm.pass(160);
      expect(await store.redeem('ticket c')).toBeUndefined();
      expect(await store.redeem('ticket b')).toBe('lasting');
    });

    test('a value is found under its exact key only', async () => {
      const { store } = await subject().realm.node();
      await store.put('ticket d}e', 'braces', 30_000);
      await store.put('ticket d', 'plain', 30_000);
      expect(await store.redeem('ticket e')).toBeUndefined();
      expect(await store.redeem('other d')).toBeUndefined();
      expect([await store.redeem('ticket d'), await store.redeem('ticket d}e')]).toEqual(['plain', 'braces']);
    });
  });
}
