import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { redisStore } from '@sallyport/redis';
import { eventually } from '../support/eventually.ts';
import { describeWith } from '../support/needs.ts';
import { type RedisServer, startCluster, startSentinel } from '../support/redis.ts';
import { everything, expectRefusals, isFull, leaseOf, RECOVERY, TIMEOUT, works } from './stores/failures.ts';
import { libraries } from './stores/index.ts';
import type { Connect } from './stores/redis.ts';
import { Ear, StoreNode } from './stores/store.ts';

for (const [name, connect] of Object.entries(libraries)) {
  describeWith('redis', `${name} on a Cluster`, (program) => partOfCluster(program, connect.cluster));
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

  test('when one node of a Cluster is paused, the others answer and keep their slots', async () => {
    const { client, disconnect } = await connect(servers);
    const leaseTtl = 1_500;
    const { store } = new StoreNode(redisStore(client, { timeout: TIMEOUT, leaseTtl }), disconnect);
    nodes.push(new StoreNode(store, disconnect));
    await works(store);
    // Enough addresses that each node holds several.
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

  test('when the master behind a sentinel crashes, slots and revocations are kept by the replica that takes over', async () => {
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
    // isFull() acquires nothing: if the failover took longer than the lease, an acquisition here would take the slot.
    const alice = [{ key: 'identity alice', cap: 1 }];
    await eventually(
      async () => (await isFull(second.store, alice)) === true,
      'the slot to be held',
      RECOVERY,
    );
    expect(await second.store.acquire(alice)).toHaveProperty('full');
    expect(lost).toBe(false);
    await first.store.revoke({ subject: 'afterwards', issuedBefore: 3 });
    await eventually(() => ears[1].heard.includes('revoked afterwards'), 'the news', RECOVERY);
  }, 120_000);
}
