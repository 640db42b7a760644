// D8: a node that crashes releases nothing. Its slots become free when its leases expire. The slots of the other nodes stay, and
// no slot is given twice.
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
/** In milliseconds, and what a busy machine may add. */
const LEASE = 600;
const MARGIN = 2_000;

describeWith('redis', 'a node that lost Redis', (program) => {
  const { start, dial, open } = applications();
  const nodes: { client: Redis; guard: AnyGuard }[] = [];
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await RedisServer.start(program);
  }, 30_000);
  // Runs after `applications` has ended all connections.
  afterEach(async () => {
    for (const { client, guard } of nodes.splice(0)) {
      await guard.close();
      // disconnect() on an ended client would leave a timer behind.
      if (client.status !== 'end') client.disconnect();
    }
  });
  afterAll(() => redis?.close());

  test.each(hosts)(
    'its slots come free within the lease time, and no slot is given twice: $name',
    async (host) => {
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
      // This connection renews its lease, while the leases of the lost node expire.
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
    },
  );
});
