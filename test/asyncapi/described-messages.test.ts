import { describe, expect, test } from '@jest/globals';
import { decode, encode } from '@msgpack/msgpack';
import {
  type AnyGuard,
  asyncApi,
  type Codec,
  type Connection,
  identifier,
  safeText,
  Type,
} from '@sallyport/core';
import type { Receiver } from '@sallyport/core/host';
import { type } from 'arktype';
import { z } from 'zod';
import { admitted, connect } from '../../packages/core/test/support/decide.ts';
import { guardOf } from '../../packages/core/test/support/guards.ts';
import { auth, byName, keys, settle } from '../../packages/core/test/support/late-auth.ts';
import { ManualClock } from '../../packages/core/test/support/manual-clock.ts';
import { RecordingSocket } from '../../packages/core/test/support/recording-socket.ts';
import { upgradeRequest } from '../../packages/core/test/support/upgrade-request.ts';
import { payloadsOf, variantsOf } from './payloads.ts';

const node = z.object({
  name: z.string().max(5),
  get kids() {
    return z.array(node);
  },
});
/** Bodies that each kind of schema accepts. The tests also try each of them with one change at every place. */
const samples: Record<string, { schema: unknown; bodies: object[] }> = {
  typebox: {
    schema: Type.Object({
      text: Type.String({ maxLength: 5 }),
      n: Type.Optional(Type.Integer({ minimum: 0 })),
    }),
    bodies: [{ text: 'hi' }, { text: 'hi', n: 3 }],
  },
  empty: { schema: Type.Object({}), bodies: [{}] },
  nested: {
    schema: Type.Object({ by: Type.Object({ name: Type.String() }), tags: Type.Array(Type.String()) }),
    bodies: [{ by: { name: 'a' }, tags: ['b', 'c'] }],
  },
  tuple: {
    schema: Type.Object({ pair: Type.Tuple([Type.String(), Type.Number()]), none: Type.Tuple([]) }),
    bodies: [{ pair: ['a', 1], none: [] }],
  },
  intersection: {
    schema: Type.Intersect([Type.Object({ a: Type.String() }), Type.Object({ b: Type.Number() })]),
    bodies: [{ a: 'a', b: 1 }],
  },
  union: {
    schema: Type.Union([Type.Object({ a: Type.String() }), Type.Object({ b: Type.Number() })]),
    bodies: [{ a: 'a' }, { b: 1 }],
  },
  cyclic: {
    schema: Type.Object({
      tree: Type.Cyclic({ Node: Type.Object({ kids: Type.Array(Type.Ref('Node')) }) }, 'Node'),
    }),
    bodies: [{ tree: { kids: [{ kids: [] }, { kids: [] }] } }],
  },
  sanitized: {
    schema: Type.Object({ text: safeText({ maxLength: 5 }), name: identifier({ maxLength: 5 }) }),
    bodies: [{ text: 'hi', name: 'a_1' }],
  },
  record: {
    schema: Type.Object({ by: Type.Record(Type.String(), Type.Number()) }),
    bodies: [{ by: { a: 1 } }],
  },
  json: {
    schema: {
      type: 'object',
      properties: {
        list: { type: 'array', prefixItems: [{ type: 'string' }], items: { $ref: '#/$defs/n' } },
        up: { $ref: '#' },
        more: { const: true },
      },
      $defs: { n: { type: 'number' } },
      dependentRequired: { list: ['more'] },
    },
    bodies: [{ list: ['a', 1, 2], more: true, up: { up: {} } }],
  },
  zod: {
    schema: z.object({
      id: z.string().max(3),
      kind: z.enum(['x', 'y']).optional(),
      n: z.string().transform(Number),
    }),
    bodies: [{ id: 'a', kind: 'y', n: '1' }],
  },
  'zod, open': { schema: z.looseObject({ id: z.string() }), bodies: [{ id: 'a', more: 1 }] },
  'zod, a union': {
    schema: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('a'), a: z.string() }),
      z.object({ kind: z.literal('b'), b: z.number() }),
    ]),
    bodies: [
      { kind: 'a', a: 'a' },
      { kind: 'b', b: 1 },
    ],
  },
  'zod, its own kind': { schema: node, bodies: [{ name: 'a', kids: [{ name: 'b', kids: [] }] }] },
  arktype: {
    schema: type({ text: 'string <= 5', 'more?': 'number[]', by: { name: 'string' } }),
    bodies: [{ text: 'a', more: [1], by: { name: 'b' } }],
  },
};
const wrappers = {
  flat: (type: string, body: object) => ({ type, ...body }),
  nested: (type: string, data: object) => ({ type, id: 'a', data }),
  'json-rpc': (method: string, params: object) => ({ jsonrpc: '2.0', id: 7, method, params }),
};
const generous = {
  violations: 1e6,
  messages: { rate: '1000000/s', burst: 1e6 },
  bytes: { rate: '1024MiB/s', burst: '1024MiB' },
};
const document = (guard: AnyGuard) => asyncApi({ guard, path: '/chat' }, { title: 'Chat', version: '1' });

async function open(options: object) {
  const guard = guardOf({ limits: generous, onFault: 'reply', ...options });
  const socket = new RecordingSocket();
  const headers = { Authorization: 'Bearer alice', Origin: 'http://localhost:3000' };
  const connection = connect(await admitted(guard, upgradeRequest({ headers })), socket);
  return { guard, socket, connection, payloads: payloadsOf(document(guard)) };
}

/** Whether the guard hands the message on. */
async function takes(connection: Receiver, socket: RecordingSocket, message: unknown): Promise<boolean> {
  const before = socket.delivered.length;
  connection.receive(JSON.stringify(message), false);
  if (socket.delivered.length === before) await settle();
  return socket.delivered.length > before;
}

describe.each(Object.entries(wrappers))('the %s envelope', (envelope, wrap) => {
  test.each(Object.entries(samples))(
    'the guard accepts exactly the messages that the document describes: %s',
    async (_what, { schema, bodies }) => {
      const { connection, socket, payloads } = await open({ envelope, messages: { say: schema } });
      let taken = 0;
      let refused = 0;
      const disagreed: unknown[] = [];
      for (const message of bodies.flatMap((body) => variantsOf(wrap('say', body)))) {
        const passed = await takes(connection, socket, message);
        if (passed) taken++;
        else refused++;
        if (passed !== payloads.fits('say', message)) disagreed.push({ message, passed });
      }
      expect(disagreed).toEqual([]);
      expect(taken).toBeGreaterThanOrEqual(bodies.length);
      expect(refused).toBeGreaterThan(taken);
    },
  );
});

describe.each(Object.keys(wrappers))('messages that the server sends in the %s envelope', (envelope) => {
  const replies = { said: Type.Object({ text: Type.String() }), done: Type.Object({}) };
  const messages = { say: Type.Object({ text: Type.String() }), fail: Type.Object({}) };
  const wrap = wrappers[envelope as keyof typeof wrappers];

  async function chat(options: object = {}) {
    const opened = await open({ envelope, messages, replies, ...options });
    const { connection, socket, payloads } = opened;
    const typed = connection as never as Connection<never, typeof messages, typeof replies>;
    typed.on('say', 'said', ({ text }) => ({ text }));
    typed.on('fail', () => {
      throw new Error('a fault');
    });
    const send = async (message: unknown) => {
      connection.receive(typeof message === 'string' ? message : JSON.stringify(message), false);
      await settle();
    };
    return { ...opened, typed, send, sentAs: () => socket.sent.map(payloads.sentAs) };
  }

  test('each reply and returned value fits exactly one described message', async () => {
    const { typed, send, sentAs } = await chat();
    typed.send('said', { text: 'by itself' });
    typed.send('done', {});
    await send(wrap('say', { text: 'hi' }));
    expect(sentAs()).toEqual([['said'], ['done'], [envelope === 'json-rpc' ? 'result' : 'said']]);
  });

  test('each error reply fits the described error message', async () => {
    const { send, sentAs } = await chat();
    await send('{');
    await send([]);
    await send(wrap('say', { text: 1 }));
    await send(wrap('shout', {}));
    await send(wrap('fail', {}));
    expect(sentAs()).toEqual([['error'], ['error'], ['error'], ['error'], ['error']]);
  });

  test('a renewal, its answer and the notice before the expiry fit their described messages', async () => {
    const clock = new ManualClock();
    const expiresAt = clock.now() / 1_000 + 120;
    const { authenticator } = keys((key) => (key === 'wrong' ? undefined : { subject: 'alice', expiresAt }));
    const options = { clock, auth: [authenticator], renewal: { notice: '1m' } };
    const { send, sentAs, payloads } = await chat(options);
    for (const key of ['alice', 'wrong']) {
      const message = wrap('auth', { key });
      expect(payloads.fits('auth', message)).toBe(true);
      await send(message);
    }
    clock.advance(70_000);
    const renewed = envelope === 'json-rpc' ? 'result' : 'auth_ok';
    expect(sentAs()).toEqual([[renewed], ['error'], ['auth_expiring']]);
    expect(payloads.fits('auth', wrap('auth', { key: 'a', token: 'b' }))).toBe(false);
    expect(payloads.fits('auth', wrap('auth', {}))).toBe(false);
  });
});

test('a first message and its answers fit their described messages', async () => {
  const { authenticator } = keys(byName);
  const guard = guardOf({ auth: [authenticator], firstMessage: true, envelope: 'nested', replies: {} });
  const payloads = payloadsOf(document(guard));
  const socket = new RecordingSocket();
  const receiver = (await admitted(guard, upgradeRequest({ headers: {} }))).open(socket, () => {});
  for (const key of ['wrong', 'alice']) {
    const message = { type: 'auth', id: 1, data: { key } };
    expect(payloads.fits('auth', message)).toBe(true);
    receiver.receive(JSON.stringify(message), false);
    await settle();
  }
  expect(socket.sent.map(payloads.sentAs)).toEqual([['error'], ['auth_ok']]);
  expect(payloads.fits('auth', JSON.parse(auth('alice')))).toBe(false);
});

test('messages written by a codec fit their descriptions once they are decoded', async () => {
  const codec: Codec = {
    contentType: 'application/msgpack',
    frames: 'binary',
    uniqueKeys: true,
    decode: (data) => decode(data as Uint8Array),
    encode: (value) => encode(value),
  };
  const said = Type.Object({ text: Type.String() });
  const { connection, socket, payloads, guard } = await open({ codec, replies: { said } });
  (connection as never as Connection<never, never, { said: typeof said }>).send('said', { text: 'hi' });
  connection.receive(encode({ type: 'say', text: 1 }), true);
  await settle();
  expect(socket.sent.map((bytes) => payloads.sentAs(decode(bytes as Uint8Array)))).toEqual([
    ['said'],
    ['error'],
  ]);
  const types = Object.values(document(guard).components.messages).map(({ contentType }) => contentType);
  expect(new Set(types)).toEqual(new Set(['application/msgpack']));
});
