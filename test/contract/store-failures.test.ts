import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Acquired, Lease, LeaseRequest, Store } from '@sallyport/core';
import { RedisStoreError, type RedisStoreOptions, redisStore } from '@sallyport/redis';
import { eventually } from '../support/eventually.ts';
import { describeWith } from '../support/needs.ts';
import { RedisServer, startCluster, startSentinel } from '../support/redis.ts';
import { libraries } from './stores/index.ts';
import type { Connect } from './stores/redis.ts';
import { Ear, StoreNode } from './stores/store.ts';

// Jest fails a test during which a promise is rejected and nobody catches it.

/** Milliseconds within which every operation has to be settled; what this machine adds to it; and for a recovery. */
const TIMEOUT = 300;
const SLACK = 2_000;
const RECOVERY = 20_000;

const LIMIT = { interval: 600_000, burst: 100 };
const TERMS = { duration: 60_000, growth: 1, longest: 60_000, memory: 1_000 };
const SLOTS = [
  { key: 'connections', cap: 1 },
  { key: 'address a', cap: 1 },
];

const OPERATIONS: Readonly<Record<string, (store: Store) => unknown>> = {
  arrive: (store) =>
    store.arrive({
      bans: ['address a'],
      hits: [{ keys: ['handshake a'], limit: LIMIT, cost: 1 }],
      leases: SLOTS,
    }),
  charge: (store) => store.charge({ keys: ['failures a'], limit: LIMIT, cost: 1 }),
  acquire: (store) => store.acquire(SLOTS),
  put: (store) => store.put('ticket a', 'value', 1_000),
  redeem: (store) => store.redeem('ticket a'),
  ban: (store) => store.ban('address b', TERMS),
  unban: (store) => store.unban('address b'),
  bans: (store) => store.bans(10),
  revoke: (store) => store.revoke({ subject: 'alice', issuedBefore: 1 }),
  shares: (store) => store.shares([{ key: 'messages a', hits: 1 }], 1_000),
  ping: (store) => store.ping(),
};

interface Outcome {
  readonly name: string;
  readonly error: unknown;
  readonly ms: number;
}

/** Every operation at once, and how each of them ended. */
function everything(store: Store): Promise<Outcome[]> {
  return Promise.all(
    Object.entries(OPERATIONS).map(async ([name, operation]) => {
      const start = performance.now();
      const error = await Promise.resolve(operation(store)).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      return { name, error, ms: performance.now() - start };
    }),
  );
}

/** Each of them was rejected with an error, in time. */
function expectRefusals(outcomes: readonly Outcome[]): void {
  for (const { name, error, ms } of outcomes) {
    expect([name, error]).toEqual([name, expect.any(Error)]);
    expect([name, Math.max(ms, TIMEOUT + SLACK)]).toEqual([name, TIMEOUT + SLACK]);
  }
}

async function works(store: Store): Promise<void> {
  await eventually(
    async () => (await everything(store)).every(({ error }) => error === undefined),
    'the store to work again',
    RECOVERY,
  );
}

/** Whether one of the slots has no room; nothing where the store does not answer. */
async function isFull(store: Store, leases: readonly LeaseRequest[]): Promise<boolean | undefined> {
  try {
    return (await store.arrive({ bans: [], hits: [], leases })).full !== -1;
  } catch {
    return undefined;
  }
}

function leaseOf(acquired: Acquired): Lease {
  if ('lease' in acquired) return acquired.lease;
  throw new Error(`slot ${acquired.full} was full`);
}

for (const [name, connect] of Object.entries(libraries)) {
  describeWith('redis', `${name} on a Redis that`, (program) => {
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

    test('is stopped answers nothing in time, and everything once it goes on', async () => {
      const { store } = await node();
      await works(store);
      server.pause();
      expectRefusals(await everything(store));
      server.resume();
      await works(store);
    }, 60_000);

    test('is stopped keeps no slot of those who did not wait for it', async () => {
      const { store } = await node();
      server.pause();
      const attempts = await Promise.allSettled(Array.from({ length: 5 }, () => store.acquire(SLOTS)));
      expect(attempts.map(({ status }) => status)).toEqual(Array(5).fill('rejected'));
      server.resume();
      // Well before their lease of 30 s would end.
      await eventually(async () => (await isFull(store, SLOTS)) === false, 'the slot');
      leaseOf(await store.acquire(SLOTS));
    }, 60_000);

    test('is stopped is asked no more than so many things at once', async () => {
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

    test('has crashed answers nothing in time, and everything when it is back, empty', async () => {
      const { store } = await node();
      await works(store);
      await server.kill();
      expectRefusals(await everything(store));
      await server.start();
      await works(store);
    }, 60_000);

    test('has crashed does later nothing of what it was asked meanwhile', async () => {
      const { store } = await node();
      await server.kill();
      // The connection's end is noticed a moment later.
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
      const { hits: after } = await store.arrive({ bans: [], hits, leases: [] });
      expect(after[0]?.remaining).toBe(LIMIT.burst - 1);
    }, 60_000);

    test('was away for less than a lease keeps the slots, and for longer as well where there is room', async () => {
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

    test('crashes and comes back empty is told what was revoked, before and while it was away', async () => {
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

    test('is there, but not for a client that was closed, which is told so at once', async () => {
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

  describeWith('redis', `${name} on a Cluster of which one node`, (program) =>
    partOfCluster(program, connect.cluster),
  );
  describeWith('redis', `${name} behind a sentinel`, (program) => failover(program, connect.sentinel));
}

function partOfCluster(program: string, connect: Connect): void {
  let servers: RedisServer[] = [];
  let nodes: StoreNode[] = [];
  beforeAll(async () => {
    servers = await startCluster(program, ['--cluster-require-full-coverage', 'no']);
  }, 60_000);
  afterAll(async () => {
    for (const one of nodes) one.close();
    nodes = [];
    await Promise.all(servers.map((server) => server.close()));
  });

  test('is stopped: the others are asked as before, and their slots are kept', async () => {
    const { client, disconnect } = await connect(servers);
    const leaseTtl = 1_500;
    const { store } = new StoreNode(redisStore(client, { timeout: TIMEOUT, leaseTtl }), disconnect);
    nodes.push(new StoreNode(store, disconnect));
    await works(store);
    // Enough addresses that each node has many.
    const keys = Array.from({ length: 60 }, (_, i) => `address ${i}`);
    let lost = 0;
    for (const key of keys) leaseOf(await store.acquire([{ key, cap: 1 }])).onLost(() => lost++);
    servers[1]?.pause();
    await new Promise((resolve) => setTimeout(resolve, 2 * leaseTtl));
    const looks = await Promise.all(keys.map((key) => isFull(store, [{ key, cap: 1 }])));
    const answered = looks.filter((full) => full !== undefined);
    expect(answered.length).toBeGreaterThan(keys.length / 4);
    expect(answered.length).toBeLessThan(keys.length);
    expect(answered).not.toContain(false);
    await expect(Promise.resolve(store.ping())).rejects.toThrow();
    servers[1]?.resume();
    await works(store);
    expect(lost).toBe(0);
  }, 90_000);
}

function failover(program: string, connect: Connect): void {
  let all: RedisServer[] = [];
  let nodes: StoreNode[] = [];
  afterEach(async () => {
    for (const one of nodes) one.close();
    nodes = [];
    await Promise.all(all.map((server) => server.close()));
  });

  test('goes on by itself when the master has crashed and its replica takes over', async () => {
    const { master, replica, sentinel } = await startSentinel(program, 1_000);
    all = [sentinel, replica, master];
    const options = { timeout: TIMEOUT, leaseTtl: 3_000 };
    nodes = await Promise.all(
      [1, 2].map(async () => {
        const { client, disconnect } = await connect([sentinel]);
        return new StoreNode(redisStore(client, options), disconnect);
      }),
    );
    const [first, second] = nodes as [StoreNode, StoreNode];
    const ears = [new Ear(), new Ear()] as const;
    first.listen(ears[0]);
    second.listen(ears[1]);
    await works(first.store);
    const lease = leaseOf(await first.store.acquire([{ key: 'identity alice', cap: 1 }]));
    let lost = false;
    lease.onLost(() => {
      lost = true;
    });
    await eventually(() => ears[1].heard.length > 0, 'the revocation');
    await master.kill();
    expectRefusals(await everything(second.store));
    await works(first.store);
    await works(second.store);
    await eventually(
      async () => 'full' in (await second.store.acquire([{ key: 'identity alice', cap: 1 }])),
      'the slot to be held',
    );
    expect(lost).toBe(false);
    await first.store.revoke({ subject: 'afterwards', issuedBefore: 3 });
    await eventually(() => ears[1].heard.includes('revoked afterwards'), 'the news', RECOVERY);
  }, 120_000);
}
