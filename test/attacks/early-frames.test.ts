// H9: frames that arrive with the handshake, or before it is decided, reach the handler in order, however long the policy
// takes. The bytes that wait are bounded (ws #1322, fastify-websocket #106).
import { describe, expect, test } from '@jest/globals';
import { type AnyGuard, bearer, custom } from '@sallyport/core';
import type { ChatHandler } from '../contract/hosts/host.ts';
import { hosts } from '../contract/hosts/index.ts';
import { applications, verdict } from '../support/applications.ts';
import { chatGuard, goodHeaders, type PolicyOverrides } from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';
import { frame } from '../support/wire.ts';

const COUNT = 5_000;
const numbered = Array.from({ length: COUNT }, (_, i) => String(i));
const frames = Buffer.concat(numbered.map((text) => frame(JSON.stringify({ type: 'say', text }))));

const generous: PolicyOverrides = {
  limits: {
    earlyBytes: '1MiB',
    messages: { rate: '10000/s', burst: 10_000 },
    handshakes: { rate: '1000/s', burst: 1_000 },
  },
};

describe.each(hosts)('$name', (host) => {
  const { start, dial } = applications();

  async function collecting(guard: AnyGuard) {
    const texts: string[] = [];
    const chat: ChatHandler = (connection) => {
      connection.on('say', (message) => void texts.push((message as { text: string }).text));
    };
    return { app: await start(host, { guard, chat }), texts };
  }

  test('5,000 frames in the same packet as the handshake arrive in order', async () => {
    const { app, texts } = await collecting(chatGuard(generous));
    const wire = await dial(app);
    wire.handshake({ headers: await goodHeaders(), after: frames });
    await eventually(() => texts.length >= COUNT, 'all messages');
    expect(texts).toEqual(numbered);
  });

  test('5,000 frames arrive in order when some come with the handshake, some before its decision and some after', async () => {
    let decide: (() => void) | undefined;
    const slow = custom({
      scheme: 'slow',
      from: [bearer()],
      authenticate: async () => {
        await new Promise<void>((resolve) => {
          decide = resolve;
        });
        return { subject: 'alice' };
      },
    });
    const { app, texts } = await collecting(chatGuard({ ...generous, auth: [slow] }));
    const wire = await dial(app);
    const [with_, before, after] = [
      frames.subarray(0, 1_000),
      frames.subarray(1_000, 99_001),
      frames.subarray(99_001),
    ];
    wire.handshake({ headers: { Authorization: 'Bearer x' }, after: with_ }).send(before);
    await eventually(() => decide !== undefined, 'the authenticator');
    await eventually(() => wire.socket.writableLength === 0, 'the network to take it');
    expect(texts).toEqual([]);
    decide?.();
    wire.send(after);
    await eventually(() => texts.length >= COUNT, 'all messages');
    expect(texts).toEqual(numbered);
  });

  test('more than limits.earlyBytes before the decision gets 400', async () => {
    const never = custom({
      scheme: 'slow',
      from: [bearer()],
      authenticate: () => new Promise<undefined>(() => {}),
    });
    const guard = chatGuard({ auth: [never], limits: { earlyBytes: '10KiB' } });
    const app = await start(host, { guard });
    const headers = { Authorization: 'Bearer x' };
    const atOnce = (await dial(app)).handshake({ headers, after: 'x'.repeat(11_000) });
    expect(verdict(await atOnce.answer())).toBe('400 request_malformed');
    const inParts = (await dial(app)).handshake({ headers });
    for (let part = 0; part < 11; part++) inParts.send('x'.repeat(1_000));
    expect(verdict(await inParts.answer())).toBe('400 request_malformed');
    expect(app.handled).toEqual([]);
  });

  test('early frames that are malformed or of an unknown type get error replies, and the valid one reaches the handler', async () => {
    const { app, texts } = await collecting(chatGuard());
    const wire = await dial(app);
    const early = [frame('junk'), frame('{"type":"say","text":"hi"}'), frame('{"type":"none"}')];
    wire.handshake({ headers: await goodHeaders(), after: Buffer.concat(early) });
    expect((await wire.messages(2)).map((text) => JSON.parse(text).code)).toEqual([
      'message_malformed',
      'message_type_unknown',
    ]);
    expect(texts).toEqual(['hi']);
  });
});
