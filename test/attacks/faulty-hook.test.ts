// O4: a hook of the application that throws, rejects or returns anything but true denies, before the 101 and after it. Operators
// get the error in an event; the client never sees its text.
import { describe, expect, test } from '@jest/globals';
import { bearer, custom, Type, webUrl } from '@sallyport/core';
import { hosts } from '../contract/hosts/index.ts';
import { applications, verdict } from '../support/applications.ts';
import { send } from '../support/auth-frames.ts';
import { chatGuard, chatJwt, goodHeaders, type PolicyOverrides } from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';

const SECRET = 'a bug, with a secret in it';
const boom = (): never => {
  throw new Error(SECRET);
};
const reject = async (): Promise<never> => boom();
const rejectLater = async (): Promise<never> => {
  await new Promise((resolve) => setImmediate(resolve));
  return boom();
};
const authenticator = (authenticate: () => unknown): PolicyOverrides => ({
  auth: [custom({ scheme: 'device', ambient: false, authenticate: authenticate as never })],
});

/** The application's hooks that run before the 101, and how each of them fails. */
const hooks: Readonly<Record<string, PolicyOverrides>> = {
  'the origins throw': { origins: boom },
  'the origins reject': { origins: rejectLater },
  'an authenticator throws': authenticator(boom),
  'an authenticator rejects': authenticator(reject),
  'an authenticator answers with no subject': authenticator(() => ({ subject: undefined })),
  'an authenticator answers with an empty subject': authenticator(() => ({ subject: '' })),
  'an authenticator answers with a text': authenticator(() => 'alice'),
  'authorize throws': { authorize: boom },
  'authorize throws undefined': {
    authorize: () => {
      throw undefined;
    },
  },
  'authorize rejects later': { authorize: rejectLater },
  'a listener for the denial throws as well': { authorize: boom, name: 'deaf' },
};

/** Answers of `authorize` other than true. */
const answers: readonly [string, unknown][] = [
  ['undefined', undefined],
  ['null', null],
  ['1', 1],
  ["'true'", 'true'],
  ['an object', { allowed: true }],
  ['a promise of an object', Promise.resolve({})],
];

/** The application's code that a message runs through, how it fails, and the code that the sender gets. */
const stages: Readonly<Record<string, [messages: unknown, code: string]>> = {
  'a rule throws': [{ say: { schema: Type.Object({}), authorize: boom } }, 'internal'],
  'a rule rejects': [{ say: { schema: Type.Object({}), authorize: rejectLater } }, 'internal'],
  'a rule answers 1': [{ say: { schema: Type.Object({}), authorize: () => 1 } }, 'message_forbidden'],
};

describe.each(hosts)('$name', (host) => {
  const { start, open, refused } = applications();

  test.each(Object.keys(hooks))('a handshake is refused and no handler runs when %s', async (name) => {
    const told: unknown[] = [];
    const guard = chatGuard({ auth: [chatJwt([bearer()])], ...hooks[name] });
    guard.on('fault', ({ error }) => void told.push(error));
    if (name.startsWith('a listener')) guard.on('handshake.denied', boom);
    const app = await start(host, { guard });
    const answer = await refused(app, { headers: await goodHeaders() });
    expect(verdict(answer)).toMatch(/^(500 internal|503 auth_unavailable|401 credential_invalid)$/);
    expect(answer.raw).not.toContain('secret');
    // An authenticator that fails is an unavailable service: the denial says so, and no fault event follows.
    if (!name.includes('authenticator')) expect(told.length).toBeGreaterThan(0);
    expect(app.handled).toEqual([]);
    expect(guard.stats()).toMatchObject({ connections: 0, admitted: 0 });
  });

  test.each(answers)('a handshake is refused when authorize returns %s', async (_name, answer) => {
    const guard = chatGuard({ authorize: () => answer as boolean });
    const app = await start(host, { guard });
    const refusal = await refused(app, { headers: await goodHeaders() });
    expect(verdict(refusal)).toMatch(/^(403 not_authorized|500 internal)$/);
    expect(app.handled).toEqual([]);
  });

  test.each(Object.keys(stages))(
    'a message gets an error reply and reaches no handler when %s',
    async (name) => {
      const [messages, code] = stages[name] as [unknown, string];
      const told: unknown[] = [];
      const handled: unknown[] = [];
      const guard = chatGuard({ messages: messages as never, onFault: 'reply' });
      guard.on('fault', ({ error }) => void told.push(error));
      const app = await start(host, { guard, chat: (chat) => chat.on('say', (m) => void handled.push(m)) });
      const wire = await open(app, { headers: await goodHeaders() });
      wire.send(send({ type: 'say' }));
      const [answer] = await wire.messages(1);
      expect(JSON.parse(answer as string)).toMatchObject({ type: 'error', code });
      expect(answer).not.toContain('secret');
      if (code === 'internal') await eventually(() => told.length > 0, 'the fault');
      expect(handled).toEqual([]);
    },
  );

  test('event listeners that throw change neither an admission nor a message', async () => {
    const guard = chatGuard({ messages: { say: Type.Object({ link: webUrl() }) } as never });
    for (const event of ['handshake.admitted', 'connection.opened', 'message.denied', 'fault'] as const)
      guard.on(event, boom);
    const app = await start(host, { guard });
    const wire = await open(app, { headers: await goodHeaders() });
    wire.send(send({ type: 'say', link: 'javascript:alert(1)' }));
    wire.send(send({ type: 'say', link: 'https://example.com' }));
    const answers = (await wire.messages(2)).map((text) => JSON.parse(text) as { type: string });
    expect(answers.map(({ type }) => type)).toEqual(['error', 'said']);
  });
});
