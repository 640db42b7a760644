import { expect, test } from '@jest/globals';
import { Ear, type Subject } from '../store.ts';

/** For stores that several nodes share. */
export function keysSuite(subject: () => Subject): void {
  test('every key that the operations of a store write has an expiry', async () => {
    const { realm } = subject();
    const node = await realm.node();
    const { store } = node;
    node.listen(new Ear());
    const limit = { interval: 1_000, burst: 5 };
    const leases = [
      { key: 'connections', cap: 9 },
      { key: 'address a', cap: 9 },
    ];
    await store.precheck({ bans: ['address a'], hits: [{ keys: ['handshake a'], limit, cost: 1 }], leases });
    await store.charge({ keys: ['failures a'], limit, cost: 2 });
    for (let i = 0; i < 3; i++) await store.acquire(leases);
    await store.put('ticket a', 'value', 30_000);
    await store.ban('address b', { duration: 9_000, growth: 2, longest: 60_000, memory: 60_000 });
    await store.revoke({ subject: 'alice', issuedBefore: 1 });
    await store.shares([{ key: 'messages alice', hits: 5 }], 5_000);
    await store.ping();
    const keys = await realm.keys();
    const kinds = [...keys.keys()].map((key) => key.split(':')[1]);
    expect(new Set(kinds)).toEqual(new Set(['rate', 'slots', 'value', 'ban', 'banned', 'news', 'share']));
    expect([...keys].filter(([, left]) => left < 0)).toEqual([]);
  });
}
