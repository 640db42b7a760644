import { once } from 'node:events';
import { describe, expect, jest, test } from '@jest/globals';
import { passthrough } from '@sallyport/core';
import { buildSchema, type ExecutionResult } from 'graphql';
import { type Client, createClient } from 'graphql-ws';
import { useServer } from 'graphql-ws/use/ws';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Host } from '../contract/hosts/host.ts';
import { hosts } from '../contract/hosts/index.ts';
import { goodHeaders, type PolicyOverrides } from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';
import { closeCode, mirrored, peers, strangers } from '../support/peers.ts';

const PROTOCOL = 'graphql-transport-ws';
const schema = buildSchema(`
  type Query { greeting(name: String!): String! }
  type Mutation { add(amount: Int!): Int! }
  type Subscription { countdown(from: Int!): Int!, news: String! }
`);

/** A server of graphql-ws, on a ws server that takes no upgrades itself: the guard hands it the sockets. */
function graphql() {
  const wss = new WebSocketServer({ noServer: true });
  const state = { asked: 0, total: 0, subscribers: 0 };
  const roots = {
    query: {
      greeting: ({ name }: { name: string }) => {
        state.asked++;
        return `Hello, ${name}!`;
      },
    },
    mutation: {
      add: ({ amount }: { amount: number }) => {
        state.total += amount;
        return state.total;
      },
    },
    subscription: {
      async *countdown({ from }: { from: number }) {
        for (let countdown = from; countdown > 0; countdown--) yield { countdown };
      },
      /** Yields one value, and then waits until the subscriber ends. */
      news() {
        state.subscribers++;
        const items = [{ news: 'first' }];
        return {
          [Symbol.asyncIterator]() {
            return this;
          },
          next: () => {
            const value = items.shift();
            return value === undefined
              ? new Promise<never>(() => {})
              : Promise.resolve({ done: false, value });
          },
          return: () => {
            state.subscribers--;
            return Promise.resolve({ done: true, value: undefined });
          },
        };
      },
    },
  };
  useServer({ schema, roots }, wss);
  return { wss, state };
}

describe.each(hosts)('$name', (host: Host) => {
  const { ends, serve, socketClass } = peers();

  const start = async (policy: PolicyOverrides = {}, headers?: Record<string, string>) => {
    const { wss, state } = graphql();
    const served = await serve(
      host,
      { messages: passthrough({ text: true }), subprotocols: [PROTOCOL], ...policy },
      (_connection, socket, native) => void wss.emit('connection', socket, native),
    );
    const { PeerSocket, sockets, transcripts } = socketClass(headers ?? (await goodHeaders()));
    const client = ends(
      createClient({
        url: `${served.origin}/chat`,
        webSocketImpl: PeerSocket,
        lazy: false,
        retryAttempts: 0,
        onNonLazyError: () => {},
      }),
      (each) => each.dispose(),
    );
    return { served, client, sockets, transcripts, state };
  };

  test('a query, a mutation, a subscription and an invalid query pass one connection unchanged in both directions', async () => {
    const { served, client, sockets, transcripts, state } = await start();
    expect(
      await results(client, 'query ($name: String!) { greeting(name: $name) }', { name: 'Zoë' }),
    ).toEqual([{ data: { greeting: 'Hello, Zoë!' } }]);
    expect(await results(client, 'mutation { add(amount: 2) }')).toEqual([{ data: { add: 2 } }]);
    expect(await results(client, 'subscription { countdown(from: 3) }')).toEqual(
      [3, 2, 1].map((countdown) => ({ data: { countdown } })),
    );
    await expect(results(client, '{ farewell }')).rejects.toEqual([
      expect.objectContaining({ message: expect.stringContaining('"farewell"') }),
    ]);
    expect(state.total).toBe(2);

    const [socket] = sockets;
    expect([sockets.length, socket?.protocol]).toEqual([1, PROTOCOL]);
    expect([...served.guard.connections()]).toEqual([expect.objectContaining({ subprotocol: PROTOCOL })]);
    await client.dispose();
    expect(await closeCode(sockets)).toBe(1000);
    await eventually(() => served.closed.length === 1, 'the end of the connection');
    expect(served.closed).toEqual([{ code: 1000, reason: undefined }]);
    expect(served.transcripts).toEqual(transcripts.map(mirrored));
    expect(served.denied).toEqual([]);
    expect(served.faults).toEqual([]);
  });

  // The promise of graphql-ws's listener lasts as long as its operation. Messages of a passthrough must not wait for it: else a
  // client with a subscription could neither send another operation nor end the subscription.
  test('a query is answered while a subscription runs, and the client can end the subscription', async () => {
    const { client, sockets, state } = await start();
    const news = client.iterate({ query: 'subscription { news }' });
    expect(await news.next()).toEqual({ done: false, value: { data: { news: 'first' } } });
    const beside = results(client, '{ greeting(name: "Bob") }');
    beside.catch(() => {});
    await roundTrip(sockets);
    expect(state.asked).toBe(1);
    expect(await beside).toEqual([{ data: { greeting: 'Hello, Bob!' } }]);
    await news.return?.();
    await roundTrip(sockets);
    expect(state.subscribers).toBe(0);
  });

  test('a subscription ends on the server when its connection ends', async () => {
    const { served, client, state } = await start();
    const news = client.iterate({ query: 'subscription { news }' });
    await news.next();
    expect(state.subscribers).toBe(1);
    served.sockets[0]?.terminate();
    await expect(news.next()).rejects.toMatchObject({ code: 1006 });
    await eventually(() => state.subscribers === 0, 'the end of the subscription');
  });

  test.each(strangers)('$what is refused before the 101', async ({ headers, status, reason }) => {
    const { served, client } = await start({}, await headers());
    await expect(results(client, '{ greeting(name: "Eve") }')).rejects.toMatchObject({
      message: `Unexpected server response: ${status}`,
    });
    expect(served.denied).toEqual([reason]);
    expect([served.handled, served.guard.stats().admitted]).toEqual([[], 0]);
  });

  test('a policy without the subprotocol of graphql-ws refuses its clients with 400', async () => {
    const { served, client } = await start({ subprotocols: ['graphql-ws'] });
    await expect(results(client, '{ greeting(name: "Bob") }')).rejects.toMatchObject({
      message: 'Unexpected server response: 400',
    });
    expect(served.denied).toEqual(['subprotocol_denied']);
  });

  test('a message above limits.message closes with 1009 and is not executed', async () => {
    const { served, client, state } = await start({ limits: { message: '1KiB' } });
    // graphql-ws logs the error that ws found in the frame.
    const logged = jest.spyOn(console, 'error').mockImplementation(() => {});
    ends(logged, (spy) => spy.mockRestore());
    const name = 'x'.repeat(2_000);
    await expect(
      results(client, 'query ($name: String!) { greeting(name: $name) }', { name }),
    ).rejects.toMatchObject({ code: 1009 });
    expect(served.denied).toEqual(['message_too_big']);
    expect(state.asked).toBe(0);
  });

  test('messages above limits.messages close with 4429', async () => {
    const { served, client, state } = await start({ limits: { messages: { rate: '1/m', burst: 2 } } });
    await results(client, '{ greeting(name: "Bob") }');
    await expect(results(client, '{ greeting(name: "Bob") }')).rejects.toMatchObject({ code: 4429 });
    expect(served.denied).toEqual(['message_rate']);
    expect(state.asked).toBe(1);
  });

  test('a binary frame closes with 1003 under passthrough({ text: true })', async () => {
    const { served, client, sockets, state } = await start();
    await results(client, '{ greeting(name: "Bob") }');
    const query = { id: 'a', type: 'subscribe', payload: { query: '{ greeting(name: "Eve") }' } };
    sockets[0]?.send(Buffer.from(JSON.stringify(query)));
    expect(await closeCode(sockets)).toBe(1003);
    expect(served.denied).toEqual(['frame_unsupported']);
    expect(state.asked).toBe(1);
  });

  test('a text frame closes with 1003 under passthrough({ binary: true })', async () => {
    const { served, client } = await start({ messages: passthrough({ binary: true }) });
    await expect(results(client, '{ greeting(name: "Bob") }')).rejects.toMatchObject({ code: 1003 });
    expect(served.denied).toEqual(['frame_unsupported']);
  });
});

/** Waits until the server has received everything that the client sent before. */
async function roundTrip([socket]: readonly WebSocket[]): Promise<void> {
  socket?.ping();
  await once(socket as WebSocket, 'pong');
}

async function results(
  client: Client,
  query: string,
  variables?: Record<string, unknown>,
): Promise<ExecutionResult[]> {
  const all: ExecutionResult[] = [];
  for await (const result of client.iterate({ query, variables })) all.push(result as ExecutionResult);
  return all;
}
