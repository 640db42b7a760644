// D8: a node that vanishes, by a crash or because somebody has brought it down, gives nothing back. Its slots lapse with its
// leases; those of the nodes that are left do not, and no slot is given twice.
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { AnyGuard } from '@sallyport/core';
import { redisStore } from '@sallyport/redis';
import { Redis } from 'ioredis';
import { hosts } from '../contract/hosts/index.ts';
import { applications, verdict } from '../support/applications.ts';
import { chatGuard, goodHeaders } from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';
import { describeWith } from '../support/needs.ts';
import { RedisServer } from '../support/redis.ts';

const CAP = 3;
/** Milliseconds; and what a busy machine may add. */
const LEASE = 600;
const MARGIN = 2_000;

describeWith('redis', 'a node that is gone', (program) => {
  const { start, dial, open } = applications();
  const nodes: { client: Redis; guard: AnyGuard }[] = [];
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await RedisServer.start(program);
  }, 30_000);
  // Behind the end of all connections, which `applications` sees to.
  afterEach(async () => {
    for (const { client, guard } of nodes.splice(0)) {
      await guard.close();
      // A client that has ended already would set a timer for the end of its socket.
      if (client.status !== 'end') client.disconnect();
    }
  });
  afterAll(() => redis?.close());

  test.each(hosts)('frees its slots within the lease time, on $name', async (host) => {
    const node = async () => {
      const client = new Redis(redis.port);
      await new Promise((resolve) => client.once('ready', resolve));
      const store = redisStore(client, { prefix: host.name.replace(/\s/g, '-'), leaseTtl: LEASE });
      const guard = chatGuard({ store, limits: { connections: CAP } });
      nodes.push({ client, guard });
      const app = await start(host, { guard });
      const outcome = async (): Promise<string> =>
        verdict(await (await dial(app)).handshake({ headers: await goodHeaders() }).head());
      return { client, app, guard, outcome };
    };
    const [lost, left] = await Promise.all([node(), node()]);
    // What is open here keeps the count of all alive, while that of the others lapses.
    const staying = await open(left.app, { headers: await goodHeaders() });
    for (let i = 1; i < CAP; i++) await open(lost.app, { headers: await goodHeaders() });
    const gone = performance.now();
    lost.client.disconnect();
    expect(await left.outcome()).toBe('503 capacity');
    for (let i = 1; i < CAP; i++) {
      await eventually(
        async () => (await left.outcome()) === 'admitted',
        'a slot',
        LEASE + MARGIN - (performance.now() - gone),
      );
    }
    expect(await left.outcome()).toBe('503 capacity');
    expect([left.guard.stats().connections, staying.ended]).toEqual([CAP, false]);
  });
});
