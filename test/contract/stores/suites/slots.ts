import { describe, expect, test } from '@jest/globals';
import type { Acquired, Lease, LeaseRequest, StoreListener } from '@sallyport/core/store';
import { eventually } from '../../../support/eventually.ts';
import { leaseOf } from '../failures.ts';
import type { StoreNode, Subject } from '../store.ts';

const slots = (...pairs: readonly [key: string, cap: number][]): LeaseRequest[] =>
  pairs.map(([key, cap]) => ({ key, cap }));

/** A guard always listens to its store. */
const EAR: StoreListener = { revoked() {}, banned() {}, unbanned() {}, known: () => [] };

const isHeld = (acquired: Acquired): boolean => 'lease' in acquired;

/** Resolves once the slots have room, which may take a tick and a round trip after a release. */
async function roomFor({ store }: StoreNode, leases: readonly LeaseRequest[]): Promise<void> {
  await eventually(
    async () => (await store.precheck({ bans: [], hits: [], leases })).full === -1,
    `room for ${leases.map(({ key }) => key).join(', ')}`,
  );
}

export function slotsSuite(subject: () => Subject): void {
  describe('slots', () => {
    test('several slots are taken all or none, and the answer names the first full one', async () => {
      const [here, there] = await Promise.all([subject().realm.node(), subject().realm.node()]);
      const wanted = slots(['connections', 5], ['address a', 1]);
      const held = leaseOf(await here.store.acquire(wanted));
      expect(await there.store.acquire(wanted)).toEqual({ full: 1 });
      // The refused attempt has kept no slot.
      await roomFor(there, slots(['connections', 2]));
      for (let i = 0; i < 4; i++) leaseOf(await there.store.acquire(slots(['connections', 5])));
      expect(await here.store.acquire(wanted)).toEqual({ full: 0 });
      held.release();
      await roomFor(there, wanted);
      leaseOf(await there.store.acquire(wanted));
    });

    test('slots are given back once although their lease is released four times', async () => {
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

    const replacing = (name: string, cap: number): LeaseRequest[] => [
      ...slots(['connections', 100]),
      { key: `identity ${name}`, cap, replaces: true },
    ];
    const replaced = (lease: Lease): Promise<boolean> => new Promise((resolve) => lease.onLost(resolve));

    test('at the cap a request that replaces takes the slot of the oldest holder, which is told', async () => {
      const [here, there] = await Promise.all([subject().realm.node(), subject().realm.node()]);
      for (const node of [here, there]) node.listen(EAR);
      const oldest = leaseOf(await here.store.acquire(replacing('erin', 2)));
      const second = leaseOf(await here.store.acquire(replacing('erin', 2)));
      let others = 0;
      second.onLost(() => others++);
      const newest = leaseOf(await there.store.acquire(replacing('erin', 2)));
      newest.onLost(() => others++);
      expect(await replaced(oldest)).toBe(true);
      expect(await replaced(oldest)).toBe(true);
      // Its other slots are held until it is released, which gives no slot of the newer ones back.
      oldest.release();
      await roomFor(here, slots(['connections', 3]));
      expect(await there.store.acquire(slots(['identity erin', 2]))).toEqual({ full: 0 });
      expect(others).toBe(0);
      second.release();
      newest.release();
      await roomFor(there, slots(['identity erin', 1], ['connections', 1]));
    });

    test('a request that finds another slot full replaces nobody', async () => {
      const { store } = await subject().realm.node();
      const held = leaseOf(await store.acquire(replacing('finn', 1)));
      let lost = 0;
      held.onLost(() => lost++);
      const wanted = [...slots(['connections', 1]), { key: 'identity finn', cap: 1, replaces: true }];
      expect(await store.acquire(wanted)).toEqual({ full: 0 });
      expect(await store.acquire(slots(['identity finn', 1]))).toEqual({ full: 0 });
      expect(lost).toBe(0);
    });

    test('a holder that did not ask to replace gives way to nobody', async () => {
      const { store } = await subject().realm.node();
      leaseOf(await store.acquire(slots(['identity gina', 1])));
      const wanted = { key: 'identity gina', cap: 1, replaces: true };
      expect(await store.acquire([wanted])).toEqual({ full: 0 });
      expect(await store.acquire([{ ...wanted, cap: 0 }])).toEqual({ full: 0 });
    });

    test('of 30 requests at once that replace under a cap of 1, exactly one keeps its slot', async () => {
      const { realm } = subject();
      const nodes = await Promise.all([realm.node(), realm.node(), realm.node()]);
      for (const node of nodes) node.listen(EAR);
      const acquired = await Promise.all(
        Array.from({ length: 30 }, (_, i) => (nodes[i % 3] as StoreNode).store.acquire(replacing('hugo', 1))),
      );
      let gone = 0;
      for (const outcome of acquired) leaseOf(outcome).onLost((was) => (gone += was ? 1 : 100));
      await eventually(() => gone === 29, 'the others to be told');
      expect(await nodes[0]?.store.acquire(slots(['identity hugo', 1]))).toEqual({ full: 0 });
      for (const outcome of acquired) leaseOf(outcome).release();
      await roomFor(nodes[0] as StoreNode, slots(['identity hugo', 1], ['connections', 1]));
    });

    test('under a cap of 17, exactly 17 of 1,000 acquisitions at once on four nodes get a slot', async () => {
      const { realm } = subject();
      const nodes = await Promise.all([realm.node(), realm.node(), realm.node(), realm.node()]);
      const wanted = slots(['connections', 5_000], ['address c', 400], ['identity carol', 17]);
      const outcomes = await Promise.all(
        Array.from({ length: 1_000 }, (_, i) => (nodes[i % 4] as StoreNode).store.acquire(wanted)),
      );
      expect(outcomes.filter(isHeld)).toHaveLength(17);
      for (const outcome of outcomes) {
        if (isHeld(outcome)) leaseOf(outcome).release();
        // A store that takes slots one after another may find a wider cap full for a moment as well.
        else expect([1, 2]).toContain((outcome as { full: number }).full);
      }
      await roomFor(
        nodes[0] as StoreNode,
        slots(['connections', 1], ['address c', 1], ['identity carol', 1]),
      );
    }, 60_000);

    test('under two caps, 120 acquisitions at once on three nodes reach both and exceed neither', async () => {
      const { realm } = subject();
      const nodes = await Promise.all([realm.node(), realm.node(), realm.node()]);
      for (let round = 0; round < 5; round++) {
        const wanted = slots([`address ${round}`, 10], [`identity user ${round}`, 10]);
        const outcomes = await Promise.all(
          Array.from({ length: 120 }, (_, i) => (nodes[i % 3] as StoreNode).store.acquire(wanted)),
        );
        const held = outcomes.filter(isHeld);
        expect(held.length).toBeLessThanOrEqual(10);
        // On a Cluster all of them can block each other, so that a refused one tries again, as clients do.
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

    test('acquiring an empty list gives a lease that can be released', async () => {
      const { store } = await subject().realm.node();
      leaseOf(await store.acquire([])).release();
    });
  });
}

/** For stores that several nodes share. */
export function sharedSlotsSuite(subject: () => Subject): void {
  describe('slots of several nodes', () => {
    test('the slots of a crashed node come free within the lease time, and those of a living node stay', async () => {
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

    test('a node acquires its slots again when the store has forgotten them', async () => {
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

    test('onLost is called when the store has forgotten a slot and another node has taken it', async () => {
      const { realm } = subject();
      const [slow, quick] = await Promise.all([
        realm.node({ leaseTtl: 1_500 }),
        realm.node({ leaseTtl: 30_000 }),
      ]);
      const wanted = slots(['connections', 1], ['address e', 5]);
      const lease = leaseOf(await slow.store.acquire(wanted));
      const lost = new Promise<boolean>((resolve) => lease.onLost(resolve));
      await realm.forget();
      leaseOf(await quick.store.acquire(slots(['connections', 1])));
      expect(await lost).toBe(false);
      // The other slot of the lost lease is released.
      await roomFor(quick, slots(['address e', 1]));
      const told = new Promise<boolean>((resolve) => lease.onLost(resolve));
      expect(await told).toBe(false);
      lease.release();
      expect(await slow.store.acquire(wanted)).toEqual({ full: 0 });
    });

    test('released slots stay free although a renewal is under way', async () => {
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
