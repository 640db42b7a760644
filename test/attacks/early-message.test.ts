// A4: before a client has said who it is, nothing but its auth message is looked at, and no handler runs
// (hocuspocus #1113, GHSA-xwhh-v746-pj9m).
import { describe, expect, test } from '@jest/globals';
import { type AnyGuard, passthrough } from '@sallyport/core';
import { hosts } from '../contract/hosts/index.ts';
import { applications } from '../support/applications.ts';
import { authenticate, say, send } from '../support/auth-frames.ts';
import { APP, chatGuard, token } from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';
import { frame } from '../support/wire.ts';

const PAGE = { headers: { Origin: APP } };

describe.each(hosts)('$name', (host) => {
  const { start, open, dial } = applications();

  const serve = async (options: object = {}) => {
    const guard: AnyGuard = chatGuard({ firstMessage: true, ...options });
    const messages: string[] = [];
    const app = await start(host, {
      guard,
      chat(connection, socket) {
        socket.on('message', (data) => void messages.push(String(data)));
        connection.on(
          'say',
          (message) => void connection.send('said', { text: (message as { text: string }).text }),
        );
      },
    });
    return { guard, app, messages };
  };

  test('the handler waits for the first message, and then has everything', async () => {
    const { app, guard, messages } = await serve();
    const wire = await open(app, PAGE);
    // A full turn of a ping: whatever would have run has run.
    wire.send(frame('are you there', 0x9));
    await wire.until(() => wire.frames().some(({ opcode }) => opcode === 0xa), 'a pong');
    expect([app.handled, guard.stats()]).toMatchObject([[], { connections: 0, pending: 1 }]);
    wire.send(authenticate({ token: await token() })).send(say('hi'));
    expect(await wire.messages(1)).toEqual(['{"text":"hi","type":"said"}']);
    expect(app.handled).toHaveLength(1);
    expect(messages).toEqual(['{"type":"say","text":"hi"}']);
    expect(guard.stats()).toMatchObject({ connections: 1, pending: 0 });
  });

  test.each<[string, Buffer, number]>([
    ['a message of the application', say('hi'), 4401],
    ['a binary frame', frame('{"type":"auth"}', 0x2), 4401],
    ['what is no JSON', frame('hello'), 4401],
    ['a renewal of nothing', send({ type: 'auth', token: 'x.y.z', extra: 1 }), 4401],
    ['more than an auth message may be', send({ type: 'auth', token: 'x'.repeat(9_000) }), 1009],
  ])('%s closes, with the token right behind it', async (_what, early, code) => {
    const { app, guard, messages } = await serve({ limits: { authAttempts: 1 } });
    const right = authenticate({ token: await token() });
    // In the packet of the handshake itself, and after the 101.
    const together = (await dial(app)).handshake({ ...PAGE, after: Buffer.concat([early, right]) });
    const after = (await open(app, PAGE)).send(early).send(right);
    expect([await together.closeCode(), await after.closeCode()]).toEqual([code, code]);
    for (const wire of [together, after]) wire.destroy();
    await eventually(() => guard.stats().pending === 0, 'the slots');
    expect([app.handled, messages, guard.stats().connections]).toEqual([[], [], 0]);
  });

  test('no listener of the bare library hears it either', async () => {
    const { app, guard } = await serve({ messages: passthrough({ text: true }) });
    const wire = await open(app, { ...PAGE, target: '/bare' });
    wire.send(frame('hello'));
    expect(await wire.closeCode()).toBe(4401);
    expect(app.handled).toEqual([]);
    const other = await open(app, { ...PAGE, target: '/bare' });
    other.send(authenticate({ token: await token() })).send(frame('hello'));
    expect(await other.messages(1)).toEqual(['bare hello false']);
    expect(app.handled).toHaveLength(1);
    expect(guard.stats().connections).toBe(1);
  });

  test('where the policy queues, it comes after the first message, in order', async () => {
    const { app, messages } = await serve({ firstMessage: { early: 'queue' } });
    const wire = (await dial(app)).handshake({ ...PAGE, after: say('1') });
    wire
      .send(say('2'))
      .send(authenticate({ token: await token() }))
      .send(say('3'));
    expect(await wire.messages(3)).toEqual(['1', '2', '3'].map((text) => `{"text":"${text}","type":"said"}`));
    expect([app.handled.length, messages.length]).toEqual([1, 3]);
  });

  test.each([
    ['large', say('x'.repeat(400)), 50],
    ['empty', frame(''), 300],
  ])('the queue is bounded: %s messages', async (_what, bytes, count) => {
    const { app, guard } = await serve({ firstMessage: { early: 'queue' } });
    const wire = await open(app, PAGE);
    wire.send(Buffer.concat(Array(count).fill(bytes)));
    expect(await wire.closeCode()).toBe(1009);
    expect(app.handled).toEqual([]);
    wire.destroy();
    await eventually(() => guard.stats().pending === 0, 'the slots');
  });

  test('attempts are capped', async () => {
    const { app, guard } = await serve();
    const wire = await open(app, PAGE);
    for (let i = 0; i < 5; i++) wire.send(authenticate({ token: `x.y.${i}` }));
    wire.send(authenticate({ token: await token() }));
    expect(await wire.closeCode()).toBe(4401);
    expect(await wire.messages(2)).toHaveLength(2);
    wire.destroy();
    await eventually(() => guard.stats().pending === 0, 'the slots');
    expect(app.handled).toEqual([]);
  });
});
