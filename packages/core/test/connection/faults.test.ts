import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type Codec, Type } from '@sallyport/core';
import { auth, keys, settle } from '../support/late-auth.ts';
import { openConnection } from '../support/open-connection.ts';

const boom = new Error('secret of the application');
const fail = {
  throws: () => {
    throw boom;
  },
  rejects: () => Promise.reject(boom),
};
const standard = (validate: () => unknown) => ({ '~standard': { version: 1, vendor: 'zod', validate } });
const DO = Type.Object({});

/** Each place in which the application's own code may fail. */
const places: Record<
  string,
  (run: () => unknown) => { rule?: object; handler?: () => unknown; listener?: () => unknown }
> = {
  handler: (run) => ({ handler: run }),
  'listener of the bare library': (run) => ({ listener: run }),
  authorize: (run) => ({ rule: { authorize: run } }),
  schema: (run) => ({ rule: { schema: standard(run) } }),
  'handler and its listener': (run) => ({ handler: run, listener: run }),
};
const cases = Object.keys(places).flatMap((place) =>
  Object.entries(fail).map(([how, run]) => [`${place} that ${how}`, places[place]?.(run) ?? {}] as const),
);

const unheard: unknown[] = [];
const listen = (error: unknown): void => void unheard.push(error);
beforeEach(() => void process.on('unhandledRejection', listen));
afterEach(async () => {
  await settle();
  process.off('unhandledRejection', listen);
  expect(unheard.splice(0)).toEqual([]);
});

async function open(
  { rule, handler, listener }: { rule?: object; handler?: () => unknown; listener?: () => unknown },
  options: object,
) {
  const messages = { do: { schema: DO, authorize: 'any', ...rule }, ping: { schema: DO, authorize: 'any' } };
  const opened = await openConnection({ messages, ...options });
  if (handler !== undefined) opened.on('do', handler);
  if (listener !== undefined) {
    opened.socket.onDeliver = (data) => (String(data).includes('do') ? listener() : undefined);
  }
  return opened;
}

describe.each(cases)('a %s', (_, place) => {
  test('a fault closes with internal, and only operators see the error', async () => {
    const { say, socket, faults } = await open(place, {});
    await say({ type: 'do' });
    await say({ type: 'ping' });
    expect(socket.sent).toEqual([]);
    expect(socket.closes).toEqual([{ code: 1011, reason: 'Something went wrong.' }]);
    expect(faults).toEqual([expect.objectContaining({ stage: 'dispatch', error: boom })]);
  });

  test("with onFault: 'reply' a fault is answered, and the connection stays open", async () => {
    const { say, socket, faults, denied, on } = await open(place, {
      onFault: 'reply',
      limits: { violations: 2 },
    });
    let pinged = 0;
    on('ping', () => void pinged++);
    for (let i = 0; i < 4; i++) await say({ type: 'do' });
    await say({ type: 'ping' });
    const internal = { type: 'error', code: 'internal', message: 'Something went wrong.' };
    expect([socket.sent, socket.closes, pinged]).toEqual([Array(4).fill(internal), [], 1]);
    expect(faults).toHaveLength(4);
    // It is no violation of the client.
    expect(denied).toEqual([]);
    expect(JSON.stringify(socket)).not.toContain('secret');
  });

  test('in JSON-RPC a fault answers a request by its id, and a notification is not answered', async () => {
    const { say, socket, faults } = await open(place, { onFault: 'reply', envelope: 'json-rpc' });
    const call = (id?: number) => ({ jsonrpc: '2.0', method: 'do', id });
    await say(call(7));
    await say(call());
    const error = { code: -32_603, message: 'Something went wrong.', data: { code: 'internal' } };
    expect([socket.sent, faults.length]).toEqual([[{ jsonrpc: '2.0', id: 7, error }], 2]);
  });

  test('in the nested envelope a fault answers a message by its id', async () => {
    const { say, socket } = await open(place, { onFault: 'reply', envelope: 'nested' });
    await say({ type: 'do', id: 'x' });
    expect(socket.sent).toMatchObject([{ type: 'error', id: 'x', data: { code: 'internal' } }]);
  });

  test('after a fault the waiting messages are still handled', async () => {
    const { connection, socket, on } = await open(place, { onFault: 'reply' });
    const seen: string[] = [];
    on('ping', () => void seen.push('ping'));
    for (const type of ['do', 'ping', 'do', 'ping']) connection.receive(JSON.stringify({ type }), false);
    await settle();
    await settle();
    expect([seen, socket.sent.length]).toEqual([['ping', 'ping'], 2]);
  });
});

test('a fault after the end of the connection is still reported to operators', async () => {
  let failLater: (error: unknown) => void = () => {};
  const authorize = () =>
    new Promise((_, reject) => {
      failLater = reject;
    });
  const { connection, socket, faults } = await open({ rule: { authorize } }, { onFault: 'reply' });
  connection.receive('{"type":"do"}', false);
  connection.close();
  failLater(boom);
  await settle();
  expect([faults.length, socket.sent]).toEqual([1, []]);
});

describe('a codec that cannot write the guard’s own messages', () => {
  const codec = (refused: string): Codec => ({
    contentType: 'application/test',
    frames: 'text',
    uniqueKeys: true,
    decode: (data) => JSON.parse(String(data)),
    encode: (value) => {
      const text = JSON.stringify(value);
      if (text.includes(`"type":"${refused}"`)) throw boom;
      return text;
    },
  });

  test.each<[string, object, object]>([
    ['the answer to a denied message', {}, { type: 'shout' }],
    ['the answer to a fault', { onFault: 'reply' }, { type: 'do' }],
  ])('%s: ends its connection with internal, and nothing else', async (_, options, message) => {
    for (const run of Object.values(fail)) {
      const { say, connection, socket, faults, guard } = await open(
        { handler: run },
        { codec: codec('error'), ...options },
      );
      await say(message);
      expect([socket.sent, socket.closes]).toEqual([[], [{ code: 1011, reason: 'Something went wrong.' }]]);
      expect(faults.map(({ error }) => error)).toContain(boom);
      connection.closed(1011);
      expect(guard.stats().connections).toBe(0);
    }
  });

  test('a codec that fails to write a notice closes that connection only, and the others get theirs', async () => {
    const expiresAt = Date.UTC(2030, 0, 1) / 1_000 + 60;
    const options = {
      auth: [keys(() => ({ subject: 'alice', expiresAt })).authenticator],
      renewal: { notice: '30s' },
      codec: codec('auth_expiring'),
    };
    const { socket, faults, clock } = await openConnection({
      ...options,
      headers: { Authorization: 'Bearer key' },
    });
    clock.advance(31_000);
    expect([socket.closes, faults.length]).toEqual([[{ code: 1011, reason: 'Something went wrong.' }], 1]);
    // The clock of all connections goes on.
    expect(clock.pending).toBeGreaterThan(0);
  });

  test('a codec that fails to write the answer to a renewal closes the connection', async () => {
    const options = {
      auth: [keys(() => ({ subject: 'alice' })).authenticator],
      renewal: true,
      codec: codec('auth_ok'),
    };
    const { say, socket, faults } = await openConnection({
      ...options,
      headers: { Authorization: 'Bearer key' },
    });
    await say(auth('key'));
    expect([socket.closes.length, faults.length]).toEqual([1, 1]);
  });
});
