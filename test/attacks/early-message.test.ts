// A4: until a client has authenticated by its first message, the guard looks at nothing but that message, and no handler
// runs (hocuspocus #1113, GHSA-xwhh-v746-pj9m).
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

  test('the handler runs only after a valid first message, and gets the message that follows it', async () => {
    const { app, guard, messages } = await serve();
    const wire = await open(app, PAGE);
    // Once the pong is back, a handler that runs too early would have run.
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
    ['a text that is no JSON', frame('hello'), 4401],
    ['an auth message with an unknown property', send({ type: 'auth', token: 'x.y.z', extra: 1 }), 4401],
    ['an auth message of 9 KB', send({ type: 'auth', token: 'x'.repeat(9_000) }), 1009],
  ])(
    '%s as the first message closes the socket, although a valid token follows',
    async (_what, early, code) => {
      const { app, guard, messages } = await serve({ limits: { authAttempts: 1 } });
      const right = authenticate({ token: await token() });
      // In the packet of the handshake itself, and after the 101.
      const together = (await dial(app)).handshake({ ...PAGE, after: Buffer.concat([early, right]) });
      const after = (await open(app, PAGE)).send(early).send(right);
      expect([await together.closeCode(), await after.closeCode()]).toEqual([code, code]);
      for (const wire of [together, after]) wire.destroy();
      await eventually(() => guard.stats().pending === 0, 'the slots');
      expect([app.handled, messages, guard.stats().connections]).toEqual([[], [], 0]);
    },
  );

  test("with passthrough(), a message before the first message closes the socket and reaches no 'message' listener", async () => {
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

  test("with early: 'queue', messages sent before the first message are handled after it, in order", async () => {
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
  ])(
    "with early: 'queue', too many bytes or messages close the socket with 1009: %s messages",
    async (_what, bytes, count) => {
      const { app, guard } = await serve({ firstMessage: { early: 'queue' } });
      const wire = await open(app, PAGE);
      wire.send(Buffer.concat(Array(count).fill(bytes)));
      expect(await wire.closeCode()).toBe(1009);
      expect(app.handled).toEqual([]);
      wire.destroy();
      await eventually(() => guard.stats().pending === 0, 'the slots');
    },
  );

  test('five wrong first messages close the socket with 4401 before a right one counts', async () => {
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
