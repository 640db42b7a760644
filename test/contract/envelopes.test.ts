// Each envelope works the same on every host: requests are answered by their ids, errors name what they belong to, and
// broadcasts reach the listeners.
import { describe, expect, test } from '@jest/globals';
import { type EnvelopeName, Type } from '@sallyport/core';
import { applications } from '../support/applications.ts';
import {
  APP,
  chatGuard,
  goodHeaders,
  messages,
  type PolicyOverrides,
  token,
} from '../support/chat-policy.ts';
import { envelopes } from '../support/envelopes.ts';
import { eventually } from '../support/eventually.ts';
import { messagePack, unpack } from '../support/message-pack.ts';
import { frame } from '../support/wire.ts';
import type { ChatHandler } from './hosts/host.ts';
import { hosts } from './hosts/index.ts';

const json = (value: object): Buffer => frame(JSON.stringify(value));
const text = (body: unknown): string => (body as { text: string }).text;

/** Answers `say` with the reply `said`, and returns a value for `note`, which has no reply. */
const answering: ChatHandler = (connection) => {
  connection.on('say', 'said', (message) => ({ text: text(message).toUpperCase() }) as never);
  connection.on('note', (message) => text(message).length);
};

/** What a client gets for `say` and for `note`; `undefined` for no answer. */
const answers: Readonly<
  Record<EnvelopeName, { said(id?: unknown): object; noted(id?: unknown): object | undefined }>
> = {
  flat: { said: () => ({ text: 'HI', type: 'said' }), noted: () => undefined },
  nested: {
    said: (id) => ({ type: 'said', ...(id !== undefined && { id }), data: { text: 'HI' } }),
    noted: () => undefined,
  },
  'json-rpc': {
    said: (id) =>
      id === undefined
        ? { jsonrpc: '2.0', method: 'said', params: { text: 'HI' } }
        : { jsonrpc: '2.0', id, result: { text: 'HI' } },
    noted: (id) => (id === undefined ? undefined : { jsonrpc: '2.0', id, result: 2 }),
  },
};

describe.each(hosts)('$name', (host) => {
  const { start, open } = applications();

  async function serve(policy: PolicyOverrides = {}, chat: ChatHandler = answering, path = '/chat') {
    const guard = chatGuard({ replies: { said: messages.say }, ...policy });
    const app = await start(host, { guard, chat });
    const wire = await open(app, { target: path, headers: await goodHeaders() });
    await eventually(() => app.handled.length === 1, 'the handler');
    return { guard, app, wire };
  }

  describe.each(envelopes)('$name', (envelope) => {
    const { said, noted } = answers[envelope.name];
    const policy = { envelope: envelope.name };

    test('a returned value is sent as the reply, with the id of its request', async () => {
      const { wire } = await serve(policy);
      const ids = [1, 'one', 0, '', -7, Number.MAX_SAFE_INTEGER, 'x'.repeat(64), undefined];
      wire.send(Buffer.concat(ids.map((id) => json(envelope.write('say', { text: 'hi' }, id)))));
      const got = (await wire.messages(ids.length)).map((message) => JSON.parse(message));
      expect(got).toEqual(ids.map((id) => said(envelope.hasIds ? id : undefined)));
    });

    test('a returned value without a reply name is sent only as the result of a JSON-RPC request', async () => {
      const { wire } = await serve(policy);
      const sent = ['first', undefined].map((id) => json(envelope.write('note', { text: 'hi' }, id)));
      wire.send(Buffer.concat([...sent, json(envelope.write('say', { text: 'hi' }, 'last'))]));
      const expected = [noted('first'), noted(), said(envelope.hasIds ? 'last' : undefined)];
      const all = expected.filter((answer) => answer !== undefined);
      expect((await wire.messages(all.length)).map((message) => JSON.parse(message))).toEqual(all);
    });

    test('replies of asynchronous handlers come in the order of the requests', async () => {
      const waits = [3, 0, 1];
      const slow: ChatHandler = (connection) =>
        void connection.on('say', 'said', async (message) => {
          for (let turns = waits.shift() ?? 0; turns > 0; turns--)
            await new Promise((done) => setImmediate(done));
          return { text: text(message) } as never;
        });
      const { wire } = await serve(policy, slow);
      wire.send(Buffer.concat(['a', 'b', 'c'].map((t) => json(envelope.write('say', { text: t }, t)))));
      const got = (await wire.messages(3)).map((message) => /"text":"(.)"/.exec(message)?.[1]);
      expect(got).toEqual(['a', 'b', 'c']);
    });

    test('a listener of the bare library gets a message byte for byte', async () => {
      const { wire } = await serve(policy, answering, '/bare');
      const sent = ` ${JSON.stringify(envelope.write('say', { text: 'hi' }, 1))}`;
      wire.send(frame(sent));
      expect(await wire.messages(1)).toEqual([`bare ${sent} false`]);
    });

    test("with unknownProperties: 'strip', a listener of the bare library gets the message without unknown properties", async () => {
      const { wire } = await serve({ ...policy, unknownProperties: 'strip' }, answering, '/bare');
      wire.send(json(envelope.write('say', { text: 'hi', more: { than: 'that' } }, 1)));
      const left = JSON.stringify(envelope.write('say', { text: 'hi' }, envelope.hasIds ? 1 : undefined));
      expect(await wire.messages(1)).toEqual([`bare ${left} false`]);
    });

    test('a renewal gets auth_ok in the form of the envelope', async () => {
      const { wire } = await serve({ ...policy, renewal: true });
      wire.send(json(envelope.write('auth', { token: await token({ iat: undefined }) }, 'renewal')));
      const [answer] = (await wire.messages(1)).map((message) => JSON.parse(message));
      const ok = { expiresAt: expect.any(Number) };
      expect(answer).toEqual(
        {
          flat: { type: 'auth_ok', ...ok },
          nested: { type: 'auth_ok', id: 'renewal', data: ok },
          'json-rpc': { jsonrpc: '2.0', id: 'renewal', result: ok },
        }[envelope.name],
      );
    });

    test('a first message in the envelope authenticates, and the next message is handled', async () => {
      const guard = chatGuard({ ...policy, firstMessage: true });
      const app = await start(host, { guard, chat: answering });
      const wire = await open(app, { headers: { Origin: APP } });
      wire.send(
        json(envelope.write('auth', { token: await token() }, envelope.hasIds ? 'first' : undefined)),
      );
      wire.send(json(envelope.write('say', { text: 'hi' }, 2)));
      const got = (await wire.messages(envelope.hasIds ? 2 : 1)).map((message) => JSON.parse(message));
      expect(got.at(-1)).toEqual(said(envelope.hasIds ? 2 : undefined));
      if (envelope.hasIds) expect(got[0].id).toBe('first');
    });
  });

  test('the json-rpc envelope answers denials with the error numbers of JSON-RPC', async () => {
    const { wire } = await serve({ envelope: 'json-rpc', onFault: 'reply' }, (connection) => {
      connection.on('say', () => {
        throw new Error('a bug');
      });
    });
    const call = (method: unknown, params: unknown): Buffer =>
      json({ jsonrpc: '2.0', method, params, id: 7 });
    wire.send(
      Buffer.concat([
        frame('{'),
        json({ jsonrpc: '1.0', method: 'say', id: 7 }),
        call('shout', {}),
        call('say', { text: 1 }),
        call('say', { text: 'hi' }),
      ]),
    );
    const got = (await wire.messages(5)).map((message) => JSON.parse(message));
    expect(got.map(({ id, error: { code, data } }) => [id, code, data])).toEqual([
      [null, -32700, { code: 'message_malformed' }],
      [null, -32600, { code: 'message_malformed' }],
      [7, -32601, { code: 'message_type_unknown' }],
      [7, -32602, { code: 'message_invalid', path: '/text' }],
      [7, -32603, { code: 'internal' }],
    ]);
  });

  test('with a MessagePack codec, messages and replies are binary frames, and a text frame closes with 1003', async () => {
    const pack = (value: object): Buffer => frame(Buffer.from(messagePack.encode(value) as Uint8Array), 0x2);
    const policy: PolicyOverrides = {
      codec: messagePack,
      envelope: 'nested',
      messages: { say: messages.say, note: messages.note, blob: Type.Object({ data: Type.Any() }) } as never,
    };
    const raw: unknown[] = [];
    const { wire } = await serve(policy, (connection, socket, native) => {
      connection.on('blob', () => undefined);
      socket.on('message', (data, isBinary) => raw.push(Buffer.isBuffer(data), isBinary));
      return answering(connection, socket, native);
    });
    wire.send(pack({ type: 'say', data: { text: 'hi' }, id: 1 })).send(pack({ type: 'shout', id: 2 }));
    wire.send(pack({ type: 'blob', data: { data: new Uint8Array([1, 2]) } }));
    await eventually(() => wire.frames().length === 2 && raw.length === 4, 'both answers');
    const got = wire.frames().map(({ opcode, data }) => [opcode, unpack(data)]);
    expect(got).toEqual([
      [0x2, { type: 'said', id: 1, data: { text: 'HI' } }],
      [0x2, { type: 'error', id: 2, data: { code: 'message_type_unknown', message: expect.any(String) } }],
    ]);
    expect(raw).toEqual([true, true, true, true]);
    wire.send(frame('{"type":"say","data":{"text":"hi"}}'));
    expect(await wire.closeCode()).toBe(1003);
  });
});
