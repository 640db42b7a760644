// M2: permissions by message type, which see the identity and the message. Once one type has a rule, types without a rule are
// refused (OWASP WebSocket Security Cheat Sheet; ASVS 5.0, 8.2).
import { describe, expect, test } from '@jest/globals';
import { type ConnectionView, type Identity, safeText, Type } from '@sallyport/core';
import { hosts } from '../contract/hosts/index.ts';
import { applications } from '../support/applications.ts';
import { goodHeaders, type PolicyOverrides } from '../support/chat-policy.ts';
import { envelopes } from '../support/envelopes.ts';
import { eventually } from '../support/eventually.ts';
import { watch } from '../support/watched.ts';
import { frame, type Wire } from '../support/wire.ts';

interface Context {
  readonly identity: Identity;
  readonly message: { readonly room: string; readonly text: string };
  readonly connection: ConnectionView;
}

const schema = Type.Object({ room: Type.String(), text: safeText() });
const empty = Type.Object({});
const next = { schema: empty, authorize: 'any' };
const text = (type: string, more: object = {}): string => JSON.stringify({ type, ...more });
const send = (type: string, more: object = {}): Buffer => frame(text(type, more));
const FORBIDDEN = 'message-authorization message_forbidden';

/** A rule whose answers a test gives later, in any order. */
class Verdicts {
  readonly asked: Context[] = [];
  readonly #answers: ((answer: unknown) => void)[] = [];

  readonly rule = (context: Context): Promise<unknown> => {
    this.asked.push(context);
    return new Promise((resolve) => this.#answers.push(resolve));
  };

  answer(index: number, answer: unknown): void {
    this.#answers[index]?.(answer);
  }
}

describe.each(hosts)('$name', (host) => {
  const { start, open } = applications();

  async function serve(messages: object, policy: PolicyOverrides = {}) {
    const limits = { violations: 1_000 };
    const app = await watch(start, host, { ...policy, messages: messages as never, limits });
    return {
      ...app,
      connect: async (subject = 'alice') => open(app, { headers: await goodHeaders(subject) }),
    };
  }

  /** Sends these at once, followed by a message that every client may send. */
  const sendAll = (wire: Wire, ...sent: readonly Buffer[]): Wire =>
    wire.send(Buffer.concat([...sent, send('next')]));

  test('messages of types without a rule are refused once another type has one', async () => {
    const app = await serve({ note: schema, bare: { schema: empty }, next });
    const wire = await app.connect();
    sendAll(wire, send('note', { room: 'a', text: 'hi' }), send('bare'));
    await app.settled();
    expect([app.typed, app.raw]).toEqual([[['next', { type: 'next' }]], [text('next')]]);
    expect(app.denied).toEqual([FORBIDDEN, FORBIDDEN]);
  });

  test('a rule that returns or resolves to anything but true refuses the message', async () => {
    const answers: unknown[] = [false, undefined, null, 1, 'true', {}, [true], new Boolean(true)];
    answers.push(...answers.map((answer) => Promise.resolve(answer)));
    const count = answers.length;
    const app = await serve({ say: { schema: empty, authorize: () => answers.shift() }, next });
    const wire = await app.connect();
    sendAll(wire, ...Array.from({ length: count }, () => send('say')));
    await app.settled();
    expect(app.typed.map(([type]) => type)).toEqual(['next']);
    expect(app.denied).toEqual(Array.from({ length: count }, () => FORBIDDEN));
  });

  test('a rule gets the identity of the connection: a message that names another subject is refused', async () => {
    const owns = ({ identity, connection, message }: Context): boolean =>
      identity === connection.identity && message.room === `of ${identity.subject}`;
    const app = await serve({ say: { schema, authorize: owns }, next });
    const [alice, mallory] = [await app.connect('alice'), await app.connect('mallory')];
    const body = { room: 'of alice', text: 'hi' };
    for (const more of [{}, { identity: { subject: 'alice' } }, { subject: 'alice' }, { user: 'alice' }])
      mallory.send(send('say', { ...body, ...more }));
    sendAll(mallory);
    await app.settled();
    expect(app.typed.map(([type]) => type)).toEqual(['next']);
    sendAll(alice, send('say', body), send('say', { ...body, room: 'of mallory' }));
    await eventually(() => app.typed.length === 3, 'what alice may say');
    expect(app.typed[1]).toEqual(['say', { type: 'say', ...body }]);
    expect(app.denied).toEqual([
      FORBIDDEN,
      ...Array.from({ length: 3 }, () => 'schema message_invalid '),
      FORBIDDEN,
    ]);
  });

  test('asynchronous rules of two connections that answer in another order decide each for its own message', async () => {
    const verdicts = new Verdicts();
    const app = await serve({ say: { schema, authorize: verdicts.rule }, next });
    const [alice, mallory] = [await app.connect('alice'), await app.connect('mallory')];
    alice.send(send('say', { room: 'hers', text: 'hi' }));
    await eventually(() => verdicts.asked.length === 1, 'the first rule');
    // Two messages at once: the answer for the first must not count for the second.
    sendAll(mallory, send('say', { room: 'his', text: '1' }), send('say', { room: 'his', text: '2' }));
    await eventually(() => verdicts.asked.length === 2, 'the second rule');
    expect([app.typed, app.raw]).toEqual([[], []]);
    verdicts.answer(1, false);
    await eventually(() => verdicts.asked.length === 3, 'the third rule');
    verdicts.answer(0, true);
    verdicts.answer(2, false);
    await app.settled();
    expect(verdicts.asked.map(({ identity, message }) => [identity.subject, message.text])).toEqual([
      ['alice', 'hi'],
      ['mallory', '1'],
      ['mallory', '2'],
    ]);
    expect(app.typed.map(([type]) => type)).toEqual(['say', 'next']);
    expect(app.denied).toEqual([FORBIDDEN, FORBIDDEN]);
  });

  const boom = (): never => {
    throw new Error('a bug in a rule, with a secret');
  };
  test.each([
    ['throws', boom],
    ['rejects', async () => boom()],
    ['throws later', () => Promise.resolve().then(boom)],
  ])('a rule that %s closes the connection with 1011, and no handler runs', async (_what, authorize) => {
    const app = await serve({ say: { schema, authorize }, next });
    const wire = await app.connect();
    sendAll(wire, send('say', { room: 'a', text: 'hi' }));
    expect(await wire.closeCode()).toBe(1011);
    expect([app.typed, app.raw, app.faults.length]).toEqual([[], [], 1]);
  });

  test.each(envelopes)(
    "with onFault: 'reply' in the $name envelope, a rule that throws gets an error reply with the message's id",
    async (envelope) => {
      const app = await serve(
        { say: { schema, authorize: boom }, late: { schema: empty, authorize: async () => boom() }, next },
        { onFault: 'reply', envelope: envelope.name },
      );
      const wire = await app.connect();
      const sent = [
        envelope.write('say', { room: 'a', text: 'hi' }, 'first'),
        envelope.write('late', {}, 'second'),
        envelope.write('next', {}),
      ];
      wire.send(Buffer.concat(sent.map((message) => frame(JSON.stringify(message)))));
      await app.settled();
      expect((await wire.messages(2)).map(envelope.errorOf)).toEqual(
        ['first', 'second'].map((id) => ({ code: 'internal', ...(envelope.hasIds && { id }) })),
      );
      expect(
        wire
          .frames()
          .map(({ data }) => String(data))
          .join(),
      ).not.toContain('secret');
      expect([app.typed.length, app.raw.length, app.faults.length]).toEqual([1, 1, 2]);
    },
  );

  test('a JSON-RPC notification that a rule refuses is neither handled nor answered', async () => {
    const app = await serve({ say: schema, next }, { envelope: 'json-rpc' });
    const wire = await app.connect();
    const body = { room: 'a', text: 'hi' };
    const sent = [
      { jsonrpc: '2.0', method: 'say', params: body },
      { jsonrpc: '2.0', method: 'say', params: body, id: 1 },
      { jsonrpc: '2.0', method: 'next' },
    ];
    wire.send(Buffer.concat(sent.map((message) => frame(JSON.stringify(message)))));
    await app.settled();
    expect((await wire.messages(1)).map((answer) => JSON.parse(answer).id)).toEqual([1]);
    expect(app.denied).toEqual([FORBIDDEN, FORBIDDEN]);
    expect(app.typed).toHaveLength(1);
  });

  test('a rule gets the stripped and sanitized message that the handler gets', async () => {
    const seen: unknown[] = [];
    const authorize = ({ message }: Context): boolean => {
      seen.push({ ...message });
      return message.text !== 'drop';
    };
    const app = await serve({ say: { schema, authorize }, next }, { unknownProperties: 'strip' });
    const wire = await app.connect();
    // A zero-width space would hide the word from a rule that sees the text before sanitizing.
    sendAll(
      wire,
      send('say', { room: 'a', text: 'dr\u200bop', admin: true }),
      send('say', { room: 'a', text: 'dr\u200bip', admin: true }),
    );
    await app.settled();
    expect(seen).toEqual([
      { type: 'say', room: 'a', text: 'drop' },
      { type: 'say', room: 'a', text: 'drip' },
    ]);
    expect(app.typed[0]).toEqual(['say', seen[1]]);
    expect(JSON.parse(app.raw[0] as string)).toEqual(seen[1]);
    expect(app.denied).toEqual([FORBIDDEN]);
  });

  test('a message with a repeated key is refused, so that rule and handler cannot read different values', async () => {
    const app = await serve({ say: { schema, authorize: () => true }, next });
    const wire = await app.connect();
    sendAll(
      wire,
      frame('{"type":"say","room":"a","text":"hi","room":"b"}'),
      frame('{"type":"next","type":"say","room":"a","text":"hi"}'),
      frame('{"type":"say","room":"a","text":"hi","\\u0072oom":"b"}'),
    );
    await app.settled();
    expect([app.typed.length, app.raw.length]).toEqual([1, 1]);
    expect(app.denied).toEqual(Array.from({ length: 3 }, () => 'parse message_malformed'));
  });
});
