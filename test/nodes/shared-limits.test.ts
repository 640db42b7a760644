// Real processes with one Redis: limits, tickets and sessions hold over all nodes, and a killed node keeps its slots no longer
// than a lease.
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { ask, Client, login, post } from '../../examples/chat/test/support/client.ts';
import { eventually } from '../support/eventually.ts';
import { describeWith } from '../support/needs.ts';
import { NodeProcess } from '../support/node-process.ts';
import { RedisServer } from '../support/redis.ts';
import { type Attempt, attempt, ChatNode, counted, crowd, LEASE, START, tokenOf } from './crowd.ts';

/** How many handshakes race for one identity's slots. */
const RACING = Number(process.env.SALLYPORT_NODES_HANDSHAKES ?? 1_000);
const WIDTH = 60;
/** `connectionsPerIdentity` of the chat. */
const CAP = 10;
const LIMIT = '429 connection_limit';
/** Milliseconds that a busy machine may add. */
const MARGIN = 2_000;

describeWith('redis', 'three nodes of the chat on one Redis', (program) => {
  let redis: RedisServer;
  let nodes: ChatNode[] = [];
  const clients: Client[] = [];

  beforeAll(async () => {
    redis = await RedisServer.start(program);
    nodes = await Promise.all(
      (['fastify', 'express', 'ws'] as const).map((host) => ChatNode.start(host, redis)),
    );
  }, START);
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await eventually(async () => (await connections()) === 0, 'the end of all connections');
  });
  afterAll(async () => {
    const complaints = await NodeProcess.endAll();
    await redis?.close();
    expect(complaints).toEqual([]);
  }, START);

  const at = (i: number): ChatNode => nodes[i % nodes.length] as ChatNode;
  const keep = <T extends Attempt>(tried: T): T => {
    if (tried.client !== undefined) clients.push(tried.client);
    return tried;
  };
  const enter = async (node: ChatNode, token: string): Promise<Client> => {
    const { client, outcome } = keep(await attempt(node, token));
    if (client === undefined) throw new Error(outcome);
    await client.next();
    return client;
  };
  const connections = async (): Promise<number> =>
    (await Promise.all(nodes.map((node) => node.connections()))).reduce((sum, count) => sum + count, 0);

  test('of 1,000 handshakes of one identity at once on three nodes, exactly ten are admitted', async () => {
    const token = await tokenOf(at(0), 'alice');
    const outcomes: string[] = [];
    await crowd(RACING, WIDTH, async (i) => {
      outcomes.push(keep(await attempt(at(i), token, i)).outcome);
    });
    expect(counted(outcomes)).toEqual({ admitted: CAP, [LIMIT]: RACING - CAP });
    expect(await connections()).toBe(CAP);
    await enter(at(1), await tokenOf(at(0), 'bob'));
  }, 60_000);

  test('while clients connect and leave at once, never more than ten of an identity are open, and ten slots are left', async () => {
    const token = await tokenOf(at(0), 'carol');
    let open = 0;
    let most = 0;
    let admitted = 0;
    await crowd(RACING / 4, WIDTH, async (i) => {
      const { client } = await attempt(at(i), token, i);
      if (client === undefined) return;
      most = Math.max(most, ++open);
      admitted++;
      await client.next();
      // The server counts a connection as open a little longer than the client.
      open--;
      client.close();
      await client.closed;
    });
    expect(most).toBeLessThanOrEqual(CAP);
    expect(admitted).toBeGreaterThan(CAP);
    const outcomes: string[] = [];
    await eventually(
      async () => keep(await attempt(at(0), token)).client !== undefined && clients.length === CAP,
      'all ten slots',
    );
    for (let i = 0; i < 3; i++) outcomes.push(keep(await attempt(at(i), token)).outcome);
    expect(outcomes).toEqual([LIMIT, LIMIT, LIMIT]);
  }, 60_000);

  test('a ticket issued on one node is admitted on another, once', async () => {
    const { cookie } = await login(at(0).url, 'alice');
    const issue = () => ask(at(0).url, 'ticket', { cookie });
    const redeem = (node: ChatNode, ticket: string) => Client.connect(`${node.url}/chat?ticket=${ticket}`);
    const ticket = await issue();
    const client = await redeem(at(1), ticket);
    expect(client).toBeInstanceOf(Client);
    clients.push(client as Client);
    const INVALID = { status: 401, error: 'credential_invalid' };
    for (const node of nodes) expect(await redeem(node, ticket)).toEqual(INVALID);
    const raced = await issue();
    const answers = await Promise.all(Array.from({ length: 9 }, (_, i) => redeem(at(i), raced)));
    const winners = answers.filter((answer) => answer instanceof Client);
    clients.push(...winners);
    expect(winners).toHaveLength(1);
    expect(answers.filter((answer) => !(answer instanceof Client))).toEqual(Array(8).fill(INVALID));
  });

  test('a session from one node is valid on all of them, and its logout closes its sockets everywhere within a second', async () => {
    const { cookie, token } = await login(at(0).url, 'alice');
    const other = await enter(at(1), await tokenOf(at(0), 'alice'));
    const ticket = await ask(at(2).url, 'ticket', { cookie });
    const leaving = [
      ...(await Promise.all(nodes.map((node) => enter(node, token)))),
      ...(await Promise.all(nodes.map(({ url }) => Client.open(url, { headers: { cookie }, origin: url })))),
    ];
    clients.push(...leaving);
    const start = performance.now();
    expect((await post(at(0).url, '/logout', {}, { cookie })).status).toBe(200);
    expect(await Promise.all(leaving.map(({ closed }) => closed))).toEqual(
      leaving.map(() => ({ code: 4401 })),
    );
    expect(performance.now() - start).toBeLessThan(1_000);
    for (const node of nodes) {
      expect((await attempt(node, token)).outcome).toBe('401 revoked');
      expect(await Client.connect(`${node.url}/chat?ticket=${ticket}`)).toMatchObject({ status: 401 });
      expect((await post(node.url, '/ticket', {}, { cookie })).status).toBe(401);
    }
    other.send({ type: 'search', query: 'still here?' });
    expect(await other.next()).toEqual({ type: 'found', messages: [] });
  });

  test('a message sent on one node is received and found on all of them, once', async () => {
    const token = await tokenOf(at(0), 'alice');
    const [first, ...others] = await Promise.all(nodes.map((node) => enter(node, token)));
    for (const text of ['Who goes there?', 'A friend.'])
      first?.send({ type: 'say', room: 'hall', text, html: `<b>${text}</b><script>x</script>` });
    for (const client of [first as Client, ...others]) {
      for (const text of ['Who goes there?', 'A friend.'])
        expect(await client.next()).toMatchObject({
          type: 'said',
          user: 'alice',
          text,
          html: `<b>${text}</b>`,
        });
      client.send({ type: 'search', query: 'goes' });
      expect(await client.next()).toMatchObject({ type: 'found', messages: [{ text: 'Who goes there?' }] });
    }
  });

  test('messages that another program publishes on the channel are shown only if they are valid, and sanitized', async () => {
    const token = await tokenOf(at(0), 'alice');
    const client = await enter(at(0), token);
    const said = { room: 'hall', user: 'bob', text: 'hello', at: 1 };
    const forged: unknown[] = [
      'no JSON',
      null,
      { said: { ...said, text: 5 } },
      { said: { ...said, text: 'x'.repeat(501) } },
      { said: { ...said, room: '' } },
      { said: { ...said, admin: true } },
      { said: { ...said, text: 'markup', html: '<b onclick="alert(1)">bold</b><script>alert(1)</script>' } },
      { said: { ...said, text: '\u202eturned' } },
      { said: { ...said, text: 'the last' } },
    ];
    for (const message of forged)
      await redis.command('PUBLISH', 'sallyport-chat:said', JSON.stringify(message));
    const shown = [];
    do shown.push(await client.next());
    while (shown.at(-1)?.text !== 'the last');
    expect(shown.map(({ text, html }) => [text, html])).toEqual([
      ['markup', '<b>bold</b>'],
      ['turned', undefined],
      ['the last', undefined],
    ]);
  });

  test('the slots of a node killed with SIGKILL come free within the lease time, and not before', async () => {
    const victim = await ChatNode.start('koa', redis);
    const token = await tokenOf(victim, 'dave');
    for (let i = 0; i < CAP; i++) expect((await attempt(victim, token)).outcome).toBe('admitted');
    expect((await attempt(at(0), token)).outcome).toBe(LIMIT);
    const start = performance.now();
    await victim.process.kill();
    expect((await attempt(at(0), token)).outcome).toBe(LIMIT);
    let tries = 0;
    const tryOnce = async (): Promise<boolean> => {
      await new Promise((resolve) => setTimeout(resolve, 30));
      return keep(await attempt(at(tries), token, tries++)).client !== undefined;
    };
    await eventually(tryOnce, 'a free slot', LEASE + MARGIN);
    const freed = performance.now() - start;
    // The node renewed its slots less than a third of a lease ago.
    expect(freed).toBeGreaterThan(LEASE / 3);
    expect(freed).toBeLessThan(LEASE + MARGIN);
    await eventually(async () => (await tryOnce()) && clients.length === CAP, 'all of them', MARGIN);
    for (const node of nodes) expect((await attempt(node, token)).outcome).toBe(LIMIT);
  }, 60_000);
});
