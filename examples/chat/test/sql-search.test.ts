import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sqlPayloads } from '../../../test/support/sql-payloads.ts';
import { type Demo, startDemo } from '../demo.ts';
import { HOSTS } from '../server/arguments.ts';
import { Client, login, type Message } from './support/client.ts';

interface Said {
  readonly text: string;
}

/** Searches per connection, below the burst of messages that the policy allows. */
const BURST = 30;
const LEDGER = ['the ledger of the vault', 'it is 100% a_b', 'nothing to see'];

describe.each(HOSTS)('a search on %s', (host) => {
  let demo: Demo;
  const clients: Client[] = [];

  beforeAll(async () => {
    demo = await startDemo({ host, port: 0, tls: false, silent: true });
  });
  afterAll(async () => {
    for (const client of clients) client.close();
    await demo.close();
  });

  async function enter(user: string): Promise<Client> {
    const { token } = await login(demo.url, user);
    const client = await Client.open(demo.url, { headers: { authorization: `Bearer ${token}` } });
    clients.push(client);
    await client.next();
    return client;
  }

  async function until(client: Client, type: string): Promise<Message> {
    for (;;) {
      const message = await client.next();
      if (message.type === type) return message;
      if (message.type === 'error') throw new Error(`refused: ${message.code}`);
    }
  }

  async function search(client: Client, query: string): Promise<string[]> {
    client.send({ type: 'search', query });
    const { messages } = await until(client, 'found');
    return (messages as Said[]).map(({ text }) => text);
  }

  test('for an SQL payload finds exactly the messages that contain it', async () => {
    const keeper = await enter('keeper');
    for (const text of LEDGER) {
      keeper.send({ type: 'say', room: 'vault', text });
      await until(keeper, 'said');
    }
    const found: Record<string, string[]> = {};
    for (let at = 0; at < sqlPayloads.length; at += BURST) {
      const attacker = await enter(`mallory${at}`);
      for (const payload of sqlPayloads.slice(at, at + BURST))
        found[payload] = await search(attacker, payload);
    }
    const asked = Object.fromEntries(
      sqlPayloads.map((payload) => [payload, LEDGER.filter((text) => text.includes(payload.toLowerCase()))]),
    );
    expect(found).toEqual(asked);
    // Some payloads are words of the ledger, so a search that finds nothing at all fails here.
    expect(Object.values(asked).some((texts) => texts.length > 0)).toBe(true);
    expect(await search(keeper, 'ledger')).toEqual([LEDGER[0]]);
  });
});
