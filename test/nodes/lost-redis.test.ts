// Real processes whose Redis is killed and comes back empty, or is paused and resumed, while clients connect and send: no client
// waits longer than the deadline, no node ends, each check does what its option says, and a logout reaches all nodes in the end.
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { ask, Client, login, post } from '../../examples/chat/test/support/client.ts';
import { eventually } from '../support/eventually.ts';
import { describeWith } from '../support/needs.ts';
import { NodeProcess } from '../support/node-process.ts';
import { RedisServer } from '../support/redis.ts';
import { attempt, ChatNode, counted, START, tokenOf } from './crowd.ts';
import { DEADLINE, MARGIN, OUTAGES, RECOVERY } from './outages.ts';
import { Traffic } from './traffic.ts';

const AWAY = { status: 503, error: 'store_unavailable' };

describeWith('redis', 'three nodes of the chat that lose Redis', (program) => {
  let redis: RedisServer;
  let nodes: ChatNode[] = [];
  let traffic: Traffic;

  beforeAll(async () => {
    redis = await RedisServer.start(program);
    nodes = await Promise.all((['koa', 'fastify', 'ws'] as const).map((host) => ChatNode.start(host, redis)));
  }, START);
  afterEach(() => traffic?.stop());
  afterAll(async () => {
    const complaints = await NodeProcess.endAll();
    await redis?.close();
    // The nodes have printed no error, and no unhandled rejection, from their start to their end.
    expect(complaints).toEqual([]);
  }, START);

  test.each(OUTAGES)(
    'while Redis is $what, clients connect and send in time, and a logout closes all its sockets in the end',
    async ({ lose, bring }) => {
      const [first, second, third] = nodes as [ChatNode, ChatNode, ChatNode];
      const users = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank'];
      const tokens = await Promise.all(users.map((user) => tokenOf(first, user)));
      const enter = async (node: ChatNode, token: string): Promise<Client> =>
        (await attempt(node, token)).client as Client;
      const talkers = await Promise.all(nodes.map((node, i) => enter(node, tokens[i] as string)));

      const before = await login(first.url, 'mallory');
      expect((await post(first.url, '/logout', {}, { cookie: before.cookie })).status).toBe(200);
      const leaving = await login(first.url, 'trent');
      const sockets = await Promise.all(nodes.map((node) => enter(node, leaving.token)));
      /** Close codes by node. */
      const closed = new Map<number, number>();
      for (const [i, socket] of sockets.entries()) void socket.closed.then(({ code }) => closed.set(i, code));
      const ticket = await ask(first.url, 'ticket', { cookie: leaving.cookie });
      const staying = await login(first.url, 'peggy');

      traffic = new Traffic(nodes, talkers, tokens);
      const flows = async (what: string): Promise<void> => {
        traffic.begin();
        const talks = () => traffic.talks.every(({ heard }) => heard >= 5);
        await eventually(() => talks() && traffic.attempts.length >= 3 * tokens.length, what);
        const outcomes = counted(traffic.attempts.map(({ outcome }) => outcome));
        expect([what, outcomes]).toEqual([what, { admitted: traffic.attempts.length }]);
        expect(Math.max(...traffic.attempts.map(({ ms }) => ms))).toBeLessThan(DEADLINE + MARGIN);
        expect(Math.max(...traffic.talks.map(({ slowest }) => slowest))).toBeLessThan(MARGIN);
      };
      await lose(redis);
      await flows('as it goes');

      const redeem = (node: ChatNode, ticket: string) => Client.connect(`${node.url}/chat?ticket=${ticket}`);
      expect(await redeem(second, ticket)).toEqual(AWAY);
      expect((await post(first.url, '/ticket', {}, { cookie: staying.cookie })).status).toBe(503);

      const start = performance.now();
      const response = await post(first.url, '/logout', {}, { cookie: leaving.cookie });
      expect(performance.now() - start).toBeLessThan(DEADLINE + MARGIN);
      // The answer says that other nodes do not know of the logout yet.
      expect(response.status).toBe(202);
      await eventually(() => closed.size === 1, 'the end of the sockets at the node itself');
      expect([...closed]).toEqual([[0, 4401]]);
      expect((await attempt(first, leaving.token)).outcome).toBe('401 revoked');
      expect((await attempt(second, leaving.token)).outcome).toBe('admitted');
      await flows('while it is away');

      await bring(redis);
      await eventually(() => closed.size === 3, 'the end of the sockets at the others', RECOVERY);
      expect([...closed.values()]).toEqual([4401, 4401, 4401]);
      await eventually(
        async () => (await post(third.url, '/ticket', {}, { cookie: staying.cookie })).status === 200,
        'tickets',
        RECOVERY,
      );
      await flows('when it is back');
      for (const node of nodes) {
        for (const { token } of [before, leaving])
          expect((await attempt(node, token)).outcome).toBe('401 revoked');
        // Each node finds out at its own time that Redis is back.
        await eventually(
          async () => {
            const client = await redeem(node, await ask(third.url, 'ticket', { cookie: staying.cookie }));
            if (client instanceof Client) client.close();
            else expect(client).toEqual(AWAY);
            return client instanceof Client;
          },
          'the redemption of a ticket',
          RECOVERY,
        );
      }
      await traffic.stop();
      for (const client of talkers) client.close();
      expect(nodes.filter(({ process }) => !process.isRunning || process.errors !== '')).toEqual([]);
    },
    60_000,
  );

  test('a node that starts after the outages refuses revoked tokens and admits the others', async () => {
    const [first] = nodes as [ChatNode];
    const [out, stays] = await Promise.all([login(first.url, 'alice'), login(first.url, 'bob')]);
    await post(first.url, '/logout', {}, { cookie: out.cookie });
    await redis.kill();
    await redis.start();
    await eventually(
      async () => (await post(first.url, '/ticket', {}, { cookie: stays.cookie })).status === 200,
      'Redis',
      RECOVERY,
    );
    // The other nodes have published the key and the revocations again.
    await eventually(
      async () =>
        (await redis.command('EXISTS', 'sallyport-chat:key')).startsWith(':1') &&
        !(await redis.command('XLEN', 'sallyport-chat:guard:news:{revocations}:stream')).startsWith(':0'),
      'what it has forgotten',
      RECOVERY,
    );
    const late = await ChatNode.start('express', redis);
    nodes.push(late);
    expect((await attempt(late, out.token)).outcome).toBe('401 revoked');
    expect((await post(late.url, '/ticket', {}, { cookie: out.cookie })).status).toBe(401);
    const { outcome, client } = await attempt(late, stays.token);
    expect(outcome).toBe('admitted');
    client?.close();
  }, 60_000);
});
