// M2: messages that must come in an order (`after`, `once`) cannot be reordered by a race, a failed step or fragments
// (ASVS 5.0, 2.3).
import { describe, expect, test } from '@jest/globals';
import { Type } from '@sallyport/core';
import { hosts } from '../contract/hosts/index.ts';
import { applications } from '../support/applications.ts';
import { goodHeaders, type PolicyOverrides } from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';
import { fragments } from '../support/fragments.ts';
import { type Answering, watch } from '../support/watched.ts';
import { frame, type Wire } from '../support/wire.ts';

const empty = Type.Object({});
const text = (type: string, more: object = {}): string => JSON.stringify({ type, ...more });
const send = (type: string, more: object = {}): Buffer => frame(text(type, more));
const OUT_OF_ORDER = 'order message_out_of_order';

describe.each(hosts)('$name', (host) => {
  const { start, open } = applications();

  async function serve(messages: object, policy: PolicyOverrides = {}, answer?: Answering) {
    const limits = { violations: 1_000 };
    const app = await watch(start, host, { ...policy, messages: messages as never, limits }, answer);
    return { ...app, connect: async () => open(app, { headers: await goodHeaders() }) };
  }

  const sendAll = (wire: Wire, ...sent: readonly Buffer[]): Wire =>
    wire.send(Buffer.concat([...sent, send('next')]));

  const steps = {
    begin: { schema: Type.Object({ fail: Type.Optional(Type.Boolean()) }), once: true },
    check: empty,
    finish: { schema: empty, after: ['begin', 'check'], once: true },
    next: empty,
  };

  test('messages before those in their after, or a second time despite once, are refused as out of order', async () => {
    const app = await serve(steps);
    const wire = await app.connect();
    sendAll(wire, send('finish'), send('begin'), send('finish'), send('check'), send('finish'));
    await app.settled();
    expect(app.typed.map(([type]) => type)).toEqual(['begin', 'check', 'finish', 'next']);
    expect(app.raw).toEqual(['begin', 'check', 'finish', 'next'].map((type) => text(type)));
    expect(app.denied).toEqual([OUT_OF_ORDER, OUT_OF_ORDER]);
  });

  test('messages sent at once keep the order while slow handlers run', async () => {
    const gates: (() => void)[] = [];
    const app = await serve(steps, {}, (type) =>
      type === 'next' ? undefined : new Promise<void>((resolve) => gates.push(resolve)),
    );
    const wire = await app.connect();
    sendAll(wire, ...['begin', 'begin', 'finish', 'check', 'finish', 'finish'].map((type) => send(type)));
    for (let i = 0; i < 3; i++) {
      await eventually(() => gates.length > i, `handler ${i}`);
      gates[i]?.();
    }
    await app.settled();
    expect(app.typed.map(([type]) => type)).toEqual(['begin', 'check', 'finish', 'next']);
    expect(app.denied).toEqual([OUT_OF_ORDER, OUT_OF_ORDER, OUT_OF_ORDER]);
  });

  test('a step that was refused, or whose handler failed, does not count as done', async () => {
    const app = await serve(
      {
        begin: { ...steps.begin, authorize: 'any' },
        check: { schema: empty, authorize: () => false },
        finish: { ...steps.finish, authorize: 'any' },
        next: { schema: empty, authorize: 'any' },
      },
      { onFault: 'reply' },
      (_type, body) => {
        if ((body as { fail?: boolean }).fail) throw new Error('a bug');
      },
    );
    const wire = await app.connect();
    sendAll(
      wire,
      send('begin', { fail: 'yes' }),
      send('begin', { fail: true }),
      send('check'),
      send('finish'),
      send('begin'),
      send('finish'),
    );
    await app.settled();
    expect(app.typed.map(([type]) => type)).toEqual(['begin', 'begin', 'next']);
    expect(app.denied).toEqual([
      'schema message_invalid /fail',
      'message-authorization message_forbidden',
      OUT_OF_ORDER,
      OUT_OF_ORDER,
    ]);
  });

  test('steps done on one connection do not count on another one of the same identity', async () => {
    const app = await serve(steps);
    const [one, other] = [await app.connect(), await app.connect()];
    sendAll(one, send('begin'), send('check'));
    await app.settled();
    sendAll(other, send('finish'));
    await eventually(() => app.denied.length === 1, 'the denial');
    expect(app.denied).toEqual([OUT_OF_ORDER]);
    expect(app.typed.map(([type]) => type)).not.toContain('finish');
  });

  test('a fragmented message counts when it ends, and one interleaved with another closes with 1002', async () => {
    const app = await serve(steps);
    const wire = await app.connect();
    const [head, tail] = fragments(['{"type":"fi', 'nish"}']) as [Buffer, Buffer];
    const pings = frame('ping', 0x9);
    // A fragmented message counts when its last fragment arrives; a ping in between changes nothing.
    wire.send(Buffer.concat([send('begin'), send('check'), head, pings, tail]));
    await app.settled('finish');
    const second = await app.connect();
    second.send(Buffer.concat([head, send('begin'), send('check'), tail]));
    expect(await second.closeCode()).toBe(1002);
    expect(app.typed.map(([type]) => type)).toEqual(['begin', 'check', 'finish']);
  });
});
