import { describe, expect, test } from '@jest/globals';
import type { Acquired, LeaseRequest } from '@sallyport/core/store';
import { eventually } from '../../../support/eventually.ts';
import { leaseOf } from '../failures.ts';
import type { StoreNode, Subject } from '../store.ts';

const slots = (...pairs: readonly [key: string, cap: number][]): LeaseRequest[] =>
  pairs.map(([key, cap]) => ({ key, cap }));

const isHeld = (acquired: Acquired): boolean => 'lease' in acquired;

/** Resolves once there is room, which may take a tick and a round trip after a release. */
async function roomFor({ store }: StoreNode, leases: readonly LeaseRequest[]): Promise<void> {
  await eventually(
    async () => (await store.precheck({ bans: [], hits: [], leases })).full === -1,
    `room for ${leases.map(({ key }) => key).join(', ')}`,
  );
}

export function slotsSuite(subject: () => Subject): void {
  describe('slots', () => {
    test('are taken all or none, and the first full one is named', async () => {
      const [here, there] = await Promise.all([subject().realm.node(), subject().realm.node()]);
      const wanted = slots(['connections', 5], ['address a', 1]);
      const held = leaseOf(await here.store.acquire(wanted));
      expect(await there.store.acquire(wanted)).toEqual({ full: 1 });
      // Nothing of the refused attempt stays in the way.
      await roomFor(there, slots(['connections', 2]));
      for (let i = 0; i < 4; i++) leaseOf(await there.store.acquire(slots(['connections', 5])));
      expect(await here.store.acquire(wanted)).toEqual({ full: 0 });
      held.release();
      await roomFor(there, wanted);
      leaseOf(await there.store.acquire(wanted));
    });

    test('are given back once, however often they are released', async () => {
      const node = await subject().realm.node();
      const wanted = slots(['connections', 3], ['address b', 3]);
      const first = leaseOf(await node.store.acquire(wanted));
      leaseOf(await node.store.acquire(wanted));
      for (let i = 0; i < 3; i++) first.release();
      await roomFor(node, slots(['connections', 2], ['address b', 2]));
      leaseOf(await node.store.acquire(wanted));
      first.release();
      leaseOf(await node.store.acquire(wanted));
      expect(await node.store.acquire(wanted)).toEqual({ full: 0 });
    });

    test('of a thousand that race for them on four nodes, exactly as many get one as there are', async () => {
      const { realm } = subject();
      const nodes = await Promise.all([realm.node(), realm.node(), realm.node(), realm.node()]);
      const wanted = slots(['connections', 5_000], ['address c', 400], ['identity carol', 17]);
      const outcomes = await Promise.all(
        Array.from({ length: 1_000 }, (_, i) => (nodes[i % 4] as StoreNode).store.acquire(wanted)),
      );
      expect(outcomes.filter(isHeld)).toHaveLength(17);
      for (const outcome of outcomes) {
        if (isHeld(outcome)) leaseOf(outcome).release();
        // Where slots are taken one after the other, a wider cap may be full for a moment, too.
        else expect([1, 2]).toContain((outcome as { full: number }).full);
      }
      await roomFor(
        nodes[0] as StoreNode,
        slots(['connections', 1], ['address c', 1], ['identity carol', 1]),
      );
    }, 60_000);

    test('two caps that race across each other are both reached, and neither is exceeded', async () => {
      const { realm } = subject();
      const nodes = await Promise.all([realm.node(), realm.node(), realm.node()]);
      for (let round = 0; round < 5; round++) {
        const wanted = slots([`address ${round}`, 10], [`identity user ${round}`, 10]);
        const outcomes = await Promise.all(
          Array.from({ length: 120 }, (_, i) => (nodes[i % 3] as StoreNode).store.acquire(wanted)),
        );
        const held = outcomes.filter(isHeld);
        expect(held.length).toBeLessThanOrEqual(10);
        // On a Cluster they can all stand in each other's way; who was refused comes again, as clients do.
        await eventually(async () => {
          if (held.length < 10)
            held.push(...[await (nodes[2] as StoreNode).store.acquire(wanted)].filter(isHeld));
          return held.length === 10;
        }, 'both caps');
        expect(held).toHaveLength(10);
        expect('full' in (await (nodes[0] as StoreNode).store.acquire(wanted.slice(0, 1)))).toBe(true);
        expect('full' in (await (nodes[1] as StoreNode).store.acquire(wanted.slice(1)))).toBe(true);
      }
    }, 60_000);

    test('an acquisition of nothing holds nothing', async () => {
      const { store } = await subject().realm.node();
      leaseOf(await store.acquire([])).release();
    });
  });
}

/** What only stores can be asked that several nodes share. */
export function sharedSlotsSuite(subject: () => Subject): void {
  describe('slots of several nodes', () => {
    test('come free when their node has crashed, and those of a living node stay', async () => {
      const { realm } = subject();
      const leaseTtl = 600;
      const [crashing, living] = await Promise.all([realm.node({ leaseTtl }), realm.node({ leaseTtl })]);
      const wanted = slots(['connections', 2], ['address d', 2]);
      leaseOf(await crashing.store.acquire(wanted));
      const kept = leaseOf(await living.store.acquire(wanted));
      let lost = false;
      kept.onLost(() => {
        lost = true;
      });
      expect(await living.store.acquire(wanted)).toEqual({ full: 0 });
      crashing.crash();
      await roomFor(living, wanted);
      await realm.pass(2 * leaseTtl);
      leaseOf(await living.store.acquire(wanted));
      expect(await living.store.acquire(wanted)).toEqual({ full: 0 });
      expect(lost).toBe(false);
    });

    test('are taken anew when the store has forgotten them', async () => {
      const { realm } = subject();
      const node = await realm.node({ leaseTtl: 600 });
      const wanted = slots(['connections', 2], ['identity dora', 2]);
      const leases = [leaseOf(await node.store.acquire(wanted)), leaseOf(await node.store.acquire(wanted))];
      let lost = 0;
      for (const lease of leases) lease.onLost(() => lost++);
      await realm.forget();
      await eventually(
        async () => (await node.store.precheck({ bans: [], hits: [], leases: wanted })).full === 0,
        'the slots to be taken anew',
      );
      expect(lost).toBe(0);
    });

    test('are lost, and said to be, where others have taken them meanwhile', async () => {
      const { realm } = subject();
      const [slow, quick] = await Promise.all([
        realm.node({ leaseTtl: 1_500 }),
        realm.node({ leaseTtl: 30_000 }),
      ]);
      const wanted = slots(['connections', 1], ['address e', 5]);
      const lease = leaseOf(await slow.store.acquire(wanted));
      const lost = new Promise<void>((resolve) => lease.onLost(resolve));
      await realm.forget();
      leaseOf(await quick.store.acquire(slots(['connections', 1])));
      await lost;
      // What it still held beside it is given back.
      await roomFor(quick, slots(['address e', 1]));
      const told = new Promise<void>((resolve) => lease.onLost(resolve));
      await told;
      lease.release();
      expect(await slow.store.acquire(wanted)).toEqual({ full: 0 });
    });

    test('released ones stay free although a renewal is under way', async () => {
      const { realm } = subject();
      const node = await realm.node({ leaseTtl: 100 });
      const wanted = slots(['connections', 1], ['address f', 1]);
      for (let i = 0; i < 20; i++) {
        const lease = leaseOf(await node.store.acquire(wanted));
        await realm.pass(5 * (i % 8));
        lease.release();
        await roomFor(node, wanted);
      }
    }, 60_000);
  });
}
