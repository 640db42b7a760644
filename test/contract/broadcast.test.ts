// A broadcast is written and framed once, and reaches every connection of the guard on all its hosts and routes.
import { describe, expect, test } from '@jest/globals';
import { type AnyGuard, Type } from '@sallyport/core';
import { applications } from '../support/applications.ts';
import { chatGuard, goodHeaders, messages, type PolicyOverrides } from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';
import { messagePack, unpack } from '../support/message-pack.ts';
import { frame, type Wire } from '../support/wire.ts';
import type { RunningHost } from './hosts/host.ts';
import { hosts } from './hosts/index.ts';
import { wsHost } from './hosts/ws.ts';

const SAID = Type.Object({ text: Type.String() });
const said = (text: string): string => JSON.stringify({ text, type: 'said' });
const SHORT_OR_LONG = ['', 'x'.repeat(100), 'x'.repeat(126), '\u20ac'.repeat(40_000), 'x'.repeat(70_000)];

describe.each(hosts)('$name', (host) => {
  const { start, open } = applications();

  async function connect(app: RunningHost, guard: AnyGuard, target = '/chat', headers = {}): Promise<Wire> {
    const before = guard.stats().connections;
    const wire = await open(app, { target, headers: { ...(await goodHeaders()), ...headers } });
    await eventually(() => guard.stats().connections === before + 1, 'the connection');
    return wire;
  }

  const guardOf = (policy: PolicyOverrides = {}): AnyGuard =>
    chatGuard({ replies: { said: SAID }, ...policy });

  test('a broadcast of 0 to 120,000 bytes reaches every connection, in order among other messages', async () => {
    const guard = guardOf();
    const app = await start(host, {
      guard,
      chat: (connection) =>
        void connection.on('say', () => {
          connection.send('said', { text: 'before' });
          for (const text of SHORT_OR_LONG) expect(guard.broadcast('said', { text } as never)).toBe(2);
          connection.send('said', { text: 'after' });
        }),
    });
    const [one, other] = [await connect(app, guard), await connect(app, guard)];
    one.send(frame('{"type":"say","text":"hi"}'));
    const all = SHORT_OR_LONG.map(said);
    expect(await one.messages(all.length + 2)).toEqual([said('before'), ...all, said('after')]);
    expect(await other.messages(all.length)).toEqual(all);
  });

  test('a broadcast reaches connections of the same guard on another host and on another route', async () => {
    const guard = guardOf();
    const [here, there] = [await start(host, { guard }), await start(wsHost, { guard })];
    const wires = [
      await connect(here, guard),
      await connect(there, guard),
      await connect(here, guard, '/bare'),
    ];
    expect(guard.broadcast('said', { text: 'hi' } as never)).toBe(3);
    for (const wire of wires) expect(await wire.messages(1)).toEqual([said('hi')]);
  });

  test('the filter of a broadcast chooses by connection, and its error is thrown to the caller', async () => {
    const guard = guardOf();
    const app = await start(host, { guard });
    const [one, other] = [await connect(app, guard), await connect(app, guard, '/bare')];
    expect(guard.broadcast('said', { text: 'hi' } as never, ({ path }) => path === '/bare')).toBe(1);
    expect(await other.messages(1)).toEqual([said('hi')]);
    expect(() =>
      guard.broadcast('said', { text: 'hi' } as never, () => {
        throw new Error('a bug in the filter');
      }),
    ).toThrow('a bug in the filter');
    expect(one.frames()).toEqual([]);
  });

  test('a broadcast that policy.replies does not allow throws TypeError and is sent to no connection', async () => {
    const guard = guardOf();
    const app = await start(host, { guard });
    const wire = await connect(app, guard);
    expect(() => guard.broadcast('said', { text: 1 } as never)).toThrow(TypeError);
    expect(() => guard.broadcast('told', { text: 'hi' } as never)).toThrow(TypeError);
    guard.broadcast('said', { text: 'right' } as never);
    expect(await wire.messages(1)).toEqual([said('right')]);
  });

  test('a broadcast leaves out a connection that is closing', async () => {
    const guard = guardOf();
    const app = await start(host, {
      guard,
      chat: (connection) => void connection.on('say', () => connection.close()),
    });
    const [one, other] = [await connect(app, guard), await connect(app, guard)];
    one.send(frame('{"type":"say","text":"bye"}'));
    expect(await one.closeCode()).toBe(1000);
    expect(guard.broadcast('said', { text: 'hi' } as never)).toBe(1);
    expect(await other.messages(1)).toEqual([said('hi')]);
    expect(await one.messages(0)).toEqual([]);
  });

  test('a broadcast is compressed for connections that have negotiated compression', async () => {
    const guard = guardOf({ compression: true });
    const app = await start(host, { guard });
    const plain = await connect(app, guard);
    const deflated = await connect(app, guard, '/chat', { 'Sec-WebSocket-Extensions': 'permessage-deflate' });
    expect(guard.broadcast('said', { text: 'x'.repeat(20_000) } as never)).toBe(2);
    expect(await plain.messages(1)).toEqual([said('x'.repeat(20_000))]);
    await eventually(() => deflated.frames().length === 1, 'the compressed message');
    expect(deflated.frames()[0]?.data.length).toBeLessThan(2_000);
  });

  test.each<[string, PolicyOverrides]>([
    ['an envelope', { envelope: 'nested' }],
    ['a codec', { codec: messagePack }],
    ['the json-rpc envelope', { envelope: 'json-rpc', replies: { said: SAID } }],
  ])('a broadcast is written with %s of the policy', async (_what, policy) => {
    const guard = guardOf(policy);
    const app = await start(host, { guard });
    const wire = await connect(app, guard);
    expect(guard.broadcast('said', { text: 'hi' } as never)).toBe(1);
    await eventually(() => wire.frames().length === 1, 'the message');
    const [{ opcode, data }] = wire.frames() as [{ opcode: number; data: Buffer }];
    const message = policy.codec === undefined ? JSON.parse(String(data)) : unpack(data);
    expect(opcode).toBe(policy.codec === undefined ? 0x1 : 0x2);
    expect(message).toEqual(
      policy.codec === undefined
        ? policy.envelope === 'nested'
          ? { type: 'said', data: { text: 'hi' } }
          : { jsonrpc: '2.0', method: 'said', params: { text: 'hi' } }
        : { type: 'said', text: 'hi' },
    );
  });

  if (host.capabilities.routeGuards) {
    test.each<[string, PolicyOverrides, number]>([
      [
        'other messages and limits',
        { messages: { note: messages.note } as never, limits: { message: '1KiB' } },
        2,
      ],
      ['replies of its own', { replies: { said: SAID, told: SAID } }, 1],
      ['an envelope of its own', { envelope: 'nested' }, 1],
      ['a codec of its own', { codec: messagePack }, 1],
    ])(
      'a broadcast reaches a route with %s only if that route writes the same bytes',
      async (_what, own, count) => {
        const guard = guardOf();
        const admin = guard.extend(own as never) as AnyGuard;
        const app = await start(host, { guard, admin });
        const [wire, other] = [await connect(app, guard), await connect(app, guard, '/admin')];
        expect(guard.broadcast('said', { text: 'hi' } as never)).toBe(count);
        expect(await wire.messages(1)).toEqual([said('hi')]);
        expect(admin.broadcast('said', { text: 'ho' } as never)).toBe(1);
        await eventually(() => other.frames().length === count, 'what the other route writes');
      },
    );
  }
});
