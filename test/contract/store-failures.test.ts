import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { RedisStoreError, type RedisStoreOptions, redisStore } from '@sallyport/redis';
import { eventually } from '../support/eventually.ts';
import { describeWith } from '../support/needs.ts';
import { RedisServer } from '../support/redis.ts';
import {
  everything,
  expectRefusals,
  isFull,
  LIMIT,
  leaseOf,
  RECOVERY,
  SLACK,
  SLOTS,
  TIMEOUT,
  works,
} from './stores/failures.ts';
import { libraries } from './stores/index.ts';
import { Ear, StoreNode } from './stores/store.ts';

// Jest fails a test in which a rejection is not handled.

for (const [name, connect] of Object.entries(libraries)) {
  describeWith('redis', `${name} on a failing Redis`, (program) => {
    let server: RedisServer;
    let nodes: StoreNode[] = [];
    beforeEach(async () => {
      server = await RedisServer.start(program);
    });
    afterEach(async () => {
      for (const one of nodes) one.close();
      nodes = [];
      await server.close();
    });

    async function node(options: RedisStoreOptions = {}): Promise<StoreNode> {
      const { client, disconnect } = await connect.single([server]);
      const made = new StoreNode(redisStore(client, { timeout: TIMEOUT, ...options }), disconnect);
      nodes.push(made);
      return made;
    }

    test('on a paused Redis every operation is rejected in time, and works again once it runs', async () => {
      const { store } = await node();
      await works(store);
      server.pause();
      expectRefusals(await everything(store));
      server.resume();
      await works(store);
    }, 60_000);

    test('on a paused Redis acquisitions that are rejected leave no slot behind', async () => {
      const { store } = await node();
      server.pause();
      const attempts = await Promise.allSettled(Array.from({ length: 5 }, () => store.acquire(SLOTS)));
      expect(attempts.map(({ status }) => status)).toEqual(Array(5).fill('rejected'));
      server.resume();
      // Well before their lease of 30 s ends.
      await eventually(async () => (await isFull(store, SLOTS)) === false, 'the slot');
      leaseOf(await store.acquire(SLOTS));
    }, 60_000);

    test('on a paused Redis, of 200 calls with pending: 20, 180 are rejected at once as busy', async () => {
      const { store } = await node({ pending: 20 });
      server.pause();
      const start = performance.now();
      const outcomes = await Promise.allSettled(Array.from({ length: 200 }, () => store.ping()));
      const codes = outcomes.map((outcome) => (outcome as PromiseRejectedResult).reason?.code);
      expect(codes.filter((code) => code === 'busy')).toHaveLength(180);
      expect(codes.filter((code) => code === 'timeout')).toHaveLength(20);
      expect(performance.now() - start).toBeLessThan(TIMEOUT + SLACK);
      server.resume();
      await works(store);
    }, 60_000);

    test('on a crashed Redis every operation is rejected in time, and works when it is back, empty', async () => {
      const { store } = await node();
      await works(store);
      await server.kill();
      expectRefusals(await everything(store));
      await server.start();
      await works(store);
    }, 60_000);

    test('calls that a crashed Redis rejects are not executed when it is back', async () => {
      const { store } = await node();
      await server.kill();
      // The client notices the end of its connection a moment later.
      await eventually(
        async () => (await everything(store)).every(({ error }) => error instanceof RedisStoreError),
        'the client to notice',
      );
      const hits = [{ keys: ['failures late'] as const, limit: LIMIT, cost: 1 }];
      const charge = () => Promise.resolve(store.charge({ keys: ['failures late'], limit: LIMIT, cost: 1 }));
      const attempts = await Promise.allSettled(Array.from({ length: 50 }, charge));
      expect(attempts.map(({ status }) => status)).toEqual(Array(50).fill('rejected'));
      await server.start();
      await works(store);
      const { hits: after } = await store.precheck({ bans: [], hits, leases: [] });
      expect(after[0]?.remaining).toBe(LIMIT.burst - 1);
    }, 60_000);

    test('slots are held again after a pause of less than a lease, and of more', async () => {
      const { store } = await node({ leaseTtl: 1_500 });
      const lease = leaseOf(await store.acquire(SLOTS));
      let lost = false;
      lease.onLost(() => {
        lost = true;
      });
      for (const away of [300, 2_500]) {
        server.pause();
        await new Promise((resolve) => setTimeout(resolve, away));
        server.resume();
        await eventually(async () => (await isFull(store, SLOTS)) === true, 'the slots to be held');
      }
      expect(lost).toBe(false);
    }, 60_000);

    test('after a crash that empties Redis the nodes publish the revocations from before and from meanwhile again', async () => {
      const [first, second] = await Promise.all([node({ leaseTtl: 1_500 }), node({ leaseTtl: 1_500 })]);
      const ears = [new Ear(), new Ear()] as const;
      first.listen(ears[0]);
      second.listen(ears[1]);
      await first.store.revoke({ subject: 'before', issuedBefore: 1 });
      await eventually(() => ears[1].heard.length > 0, 'the revocation');
      await server.kill();
      await expect(
        Promise.resolve(first.store.revoke({ subject: 'meanwhile', issuedBefore: 2 })),
      ).rejects.toThrow();
      await server.start();
      await eventually(
        () =>
          Promise.resolve(first.store.revoke({ subject: 'meanwhile', issuedBefore: 2 })).then(
            () => true,
            () => false,
          ),
        'the store to take it',
        RECOVERY,
      );
      await eventually(() => ears[1].heard.includes('revoked meanwhile'), 'the second one', RECOVERY);
      const late = await node();
      const ear = new Ear();
      late.listen(ear);
      await eventually(() => new Set(ear.heard).size === 2, 'both to be known to who comes later', RECOVERY);
      await eventually(
        () => Math.max(first.store.staleness(), second.store.staleness()) < 1_500,
        'certainty',
        RECOVERY,
      );
    }, 60_000);

    test('with a closed client every operation is rejected at once as closed', async () => {
      const made = await node();
      made.listen(new Ear());
      await works(made.store);
      made.crash();
      await eventually(
        async () =>
          (await everything(made.store)).every(({ error }) => (error as { code?: string }).code === 'closed'),
        'the end of the client',
      );
      const outcomes = await everything(made.store);
      expect(outcomes.every(({ ms }) => ms < TIMEOUT)).toBe(true);
    });
  });
}
