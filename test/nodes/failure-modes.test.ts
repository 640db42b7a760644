// A real process with three guards on one Redis that fails and recovers: each check does what `onStoreFailure` says.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from '../../examples/chat/test/support/client.ts';
import { eventually } from '../support/eventually.ts';
import { describeWith } from '../support/needs.ts';
import { NodeProcess } from '../support/node-process.ts';
import { RedisServer } from '../support/redis.ts';
import { START } from './crowd.ts';
import { DEADLINE, MARGIN, OUTAGES, RECOVERY } from './outages.ts';

type Mode = 'closed' | 'open' | 'local';
const LIMIT = '429 connection_limit';
const AWAY = '503 store_unavailable';

describeWith('redis', 'onStoreFailure', (program) => {
  let redis: RedisServer;
  let ports: Readonly<Record<Mode, number>>;
  const clients: Client[] = [];

  beforeAll(async () => {
    redis = await RedisServer.start(program);
    ports = JSON.parse((await NodeProcess.start('failure-modes', redis.url)).line);
  }, START);
  afterAll(async () => {
    for (const client of clients) client.close();
    const complaints = await NodeProcess.endAll();
    await redis?.close();
    expect(complaints).toEqual([]);
  }, START);

  const enter = async (mode: Mode, user: string): Promise<string> => {
    const start = performance.now();
    const answer = await Client.connect(`http://127.0.0.1:${ports[mode]}`, {
      headers: { authorization: `Bearer ${user}` },
    });
    expect(performance.now() - start).toBeLessThan(DEADLINE + MARGIN);
    if (!(answer instanceof Client)) return `${answer.status} ${answer.error}`;
    clients.push(answer);
    return 'admitted';
  };
  const everywhere = (user: string): Promise<string[]> =>
    Promise.all((['closed', 'open', 'local'] as const).map((mode) => enter(mode, user)));

  test.each(OUTAGES)(
    "when Redis is $what, 'closed' refuses, 'open' admits and 'local' counts on its node",
    async ({ lose, bring }) => {
      const alice = `alice${clients.length}`;
      for (const mode of ['closed', 'local'] as const) expect(await enter(mode, alice)).toBe('admitted');
      expect(await everywhere(alice)).toEqual([LIMIT, LIMIT, LIMIT]);
      await lose(redis);
      // Alice has one of two connections at this node.
      expect(await everywhere(alice)).toEqual([AWAY, 'admitted', 'admitted']);
      for (let i = 0; i < 4; i++) expect(await everywhere(alice)).toEqual([AWAY, 'admitted', LIMIT]);
      await bring(redis);
      // Each guard notices the recovery when it next asks Redis.
      await eventually(
        async () => {
          await new Promise((resolve) => setTimeout(resolve, 100));
          const bob = `bob${clients.length}`;
          const outcomes = [await enter('closed', bob), await enter('closed', bob)];
          outcomes.push(await enter('open', bob), await enter('local', bob));
          return outcomes.join() === ['admitted', 'admitted', LIMIT, LIMIT].join();
        },
        'the cap over all of them',
        RECOVERY,
      );
      // Alice's earlier connections count again, on every node.
      expect(await everywhere(alice)).toEqual([LIMIT, LIMIT, LIMIT]);
    },
    60_000,
  );
});
