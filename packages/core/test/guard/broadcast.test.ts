import { describe, expect, test } from '@jest/globals';
import { type AnyGuard, bearer, type Codec, custom, Type } from '@sallyport/core';
import type { FramedMessage } from '@sallyport/core/host';
import { admitted, connect } from '../support/decide.ts';
import { collect, guardOf } from '../support/guards.ts';
import { RecordingSocket } from '../support/recording-socket.ts';
import { upgradeRequest } from '../support/upgrade-request.ts';

const SAID = Type.Object({ text: Type.String() });
const replies = { said: SAID };
const key = custom({
  scheme: 'key',
  from: [bearer()],
  authenticate: ({ credential = '' }) => ({ subject: credential }),
});
const make = (options: object = {}) => guardOf({ auth: [key], replies, ...options });

/** A connection of the guard's, and what it was sent. */
async function join(guard: AnyGuard, subject = 'alice') {
  const socket = new RecordingSocket();
  const request = upgradeRequest({ headers: { Authorization: `Bearer ${subject}` } });
  return { socket, connection: connect(await admitted(guard, request), socket) };
}
const broadcast = (
  guard: AnyGuard,
  type = 'said',
  body: object = { text: 'hi' },
  filter?: (connection: { identity: { subject: string } }) => boolean,
) => (guard.broadcast as (type: string, body: object, filter?: unknown) => number)(type, body, filter);

test('broadcast sends to every open connection, and returns their number', async () => {
  const guard = make();
  const all = [await join(guard), await join(guard, 'bob'), await join(guard)];
  expect(broadcast(guard)).toBe(3);
  for (const { socket } of all) expect(socket.sent).toEqual([{ type: 'said', text: 'hi' }]);
  expect(broadcast(make())).toBe(0);
});

test('broadcast serializes and frames the message once for all', async () => {
  let written = 0;
  const codec: Codec = {
    contentType: 'application/test',
    frames: 'binary',
    uniqueKeys: true,
    decode: () => ({}),
    encode: (value) => Buffer.from(`${++written}${JSON.stringify(value)}`),
  };
  const guard = make({ codec });
  const all = await Promise.all(Array.from({ length: 5 }, () => join(guard)));
  const messages = new Set<FramedMessage>();
  for (const { socket } of all) socket.sendFramed = (message) => messages.add(message) !== undefined;
  expect(broadcast(guard)).toBe(5);
  expect([written, messages.size]).toEqual([1, 1]);
  const [{ data, frame }] = messages as unknown as [FramedMessage];
  // A binary frame, unmasked, of this length, and then the same bytes.
  expect([...frame.subarray(0, 2)]).toEqual([0x82, data.length]);
  expect(Buffer.from(frame.subarray(2)).equals(data as Uint8Array)).toBe(true);
});

test('broadcast sends only to connections that the filter accepts', async () => {
  const guard = make();
  const [alice, bob] = [await join(guard, 'alice'), await join(guard, 'bob')];
  expect(broadcast(guard, 'said', { text: 'hi' }, ({ identity }) => identity.subject === 'bob')).toBe(1);
  expect([alice.socket.sent.length, bob.socket.sent.length]).toEqual([0, 1]);
});

test('broadcast throws for a message that the policy does not allow, and sends nothing', async () => {
  const guard = make();
  const { socket } = await join(guard);
  expect(() => broadcast(guard, 'sayd')).toThrow("There is no reply 'sayd' in the policy.");
  expect(() => broadcast(guard, 'said', { text: 7 })).toThrow(
    "The reply 'said' does not match its schema at '/text'.",
  );
  expect(socket.sent).toEqual([]);
  const trusting = make({ checkReplies: false });
  expect(() => broadcast(trusting, 'sayd')).toThrow(/no reply 'sayd'/);
  expect(broadcast(trusting, 'said', { text: 7 })).toBe(0);
});

test('broadcast skips connections that are closing or closed', async () => {
  const guard = make();
  const [open, closing, closed] = [await join(guard), await join(guard), await join(guard)];
  closing.connection.close();
  closed.connection.closed(1000);
  expect(broadcast(guard)).toBe(1);
  expect([open, closing, closed].map(({ socket }) => socket.sent.length)).toEqual([1, 0, 0]);
});

test('broadcast does not count a slow connection, and sends to the others', async () => {
  const guard = make();
  const [slow, quick] = [await join(guard), await join(guard)];
  slow.socket.taking = false;
  expect(broadcast(guard)).toBe(1);
  expect(quick.socket.sent).toHaveLength(1);
});

test('a connection that ends during a broadcast changes nothing for the others', async () => {
  const guard = make();
  const all = await Promise.all(Array.from({ length: 4 }, () => join(guard)));
  for (const [i, { socket, connection }] of all.entries()) {
    const send = socket.sendFramed.bind(socket);
    socket.sendFramed = (message) => {
      if (i === 1) connection.closed(1006);
      return send(message);
    };
  }
  broadcast(guard);
  expect(all.map(({ socket }) => socket.sent.length)).toEqual([1, 1, 1, 1]);
  expect(guard.stats().connections).toBe(3);
});

test('broadcast throws what its filter throws', async () => {
  const guard = make();
  await join(guard);
  const faults = collect(guard, 'fault');
  const filter = () => {
    throw new Error('mine');
  };
  expect(() => broadcast(guard, 'said', { text: 'hi' }, filter)).toThrow('mine');
  expect(faults).toEqual([]);
});

describe('broadcast to extensions', () => {
  const codec: Codec = {
    contentType: 'application/test',
    frames: 'text',
    uniqueKeys: true,
    decode: (data) => JSON.parse(String(data)),
    encode: (value) => JSON.stringify(value),
  };
  test.each<[string, object, number]>([
    ['all of it inherited', { name: 'other' }, 1],
    ['its own messages', { messages: { ping: Type.Object({}) } }, 1],
    ['the same replies, handed in again', { replies }, 1],
    ['its replies not checked', { checkReplies: false }, 1],
    ['replies of its own', { replies: { said: SAID } }, 0],
    ['an envelope of its own', { envelope: 'nested' }, 0],
    ['the same envelope, by name', { envelope: 'flat' }, 1],
    ['a codec of its own', { codec }, 0],
    ['nothing said', { envelope: undefined, replies: undefined, codec: undefined }, 1],
  ])('%s', async (_, options, taken) => {
    const guard = make();
    const extended = guard.extend(options as never);
    const [own, other] = [await join(guard), await join(extended)];
    expect(broadcast(guard)).toBe(1 + taken);
    expect([own.socket.sent.length, other.socket.sent.length]).toEqual([1, taken]);
  });

  test('a broadcast of an extension reaches its own connections, and that of its family every one that writes alike', async () => {
    const guard = make();
    const inheriting = guard.extend({ name: 'other' });
    const apart = guard.extend({ envelope: 'nested' } as never);
    const all = [await join(guard), await join(inheriting), await join(apart)];
    expect([broadcast(inheriting), broadcast(apart), broadcast(guard.family)]).toEqual([1, 1, 2]);
    expect(all.map(({ socket }) => socket.sent)).toEqual([
      [{ type: 'said', text: 'hi' }],
      [
        { type: 'said', text: 'hi' },
        { type: 'said', text: 'hi' },
      ],
      [{ type: 'said', data: { text: 'hi' } }],
    ]);
  });

  test('without replies any message can be broadcast to all routes with the same envelope', async () => {
    const guard = make({ replies: undefined });
    const all = [await join(guard), await join(guard.extend({ name: 'other' }))];
    expect(broadcast(guard, 'whatever', { a: 1 })).toBe(2);
    for (const { socket } of all) expect(socket.sent).toEqual([{ type: 'whatever', a: 1 }]);
  });
});
