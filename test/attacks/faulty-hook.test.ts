// O4: whatever throws, rejects, or answers with something else than a plain yes denies, before the 101 and after it; the fault
// is told to operators, and its text to nobody else.
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

/** What of the application's is asked before the 101, and how it fails. */
const hooks: Readonly<Record<string, PolicyOverrides>> = {
  'the origins throw': { origins: boom },
  'the origins reject': { origins: rejectLater },
  'an authenticator throws': authenticator(boom),
  'an authenticator rejects': authenticator(reject),
  'an authenticator answers with no subject': authenticator(() => ({ subject: undefined })),
  'an authenticator answers with an empty subject': authenticator(() => ({ subject: '' })),
  'an authenticator answers with something else': authenticator(() => 'alice'),
  'authorize throws': { authorize: boom },
  'authorize throws nothing': {
    authorize: () => {
      throw undefined;
    },
  },
  'authorize rejects later': { authorize: rejectLater },
  'a listener of the denial throws, too': { authorize: boom, name: 'deaf' },
};

/** Answers that are no plain yes. */
const answers: readonly [string, unknown][] = [
  ['nothing', undefined],
  ['null', null],
  ['1', 1],
  ["'true'", 'true'],
  ['an object', { allowed: true }],
  ['a promise of an object', Promise.resolve({})],
];

/** Where a message's way has code of the application's, and what its sender is told. */
const stages: Readonly<Record<string, [messages: unknown, code: string]>> = {
  'a rule throws': [{ say: { schema: Type.Object({}), authorize: boom } }, 'internal'],
  'a rule rejects': [{ say: { schema: Type.Object({}), authorize: rejectLater } }, 'internal'],
  'a rule answers 1': [{ say: { schema: Type.Object({}), authorize: () => 1 } }, 'message_forbidden'],
};

describe.each(hosts)('$name', (host) => {
  const { start, open, refused } = applications();

  test.each(Object.keys(hooks))('%s', async (name) => {
    const told: unknown[] = [];
    const guard = chatGuard({ auth: [chatJwt([bearer()])], ...hooks[name] });
    guard.on('fault', ({ error }) => void told.push(error));
    if (name.startsWith('a listener')) guard.on('handshake.denied', boom);
    const app = await start(host, { guard });
    const answer = await refused(app, { headers: await goodHeaders() });
    expect(verdict(answer)).toMatch(/^(500 internal|503 auth_unavailable|401 credential_invalid)$/);
    expect(answer.raw).not.toContain('secret');
    // Whoever cannot be asked is taken for a service that is away, which the denial itself says.
    if (!name.includes('authenticator')) expect(told.length).toBeGreaterThan(0);
    expect(app.handled).toEqual([]);
    expect(guard.stats()).toMatchObject({ connections: 0, admitted: 0 });
  });

  test.each(answers)('authorize answers with %s', async (_name, answer) => {
    const guard = chatGuard({ authorize: () => answer as boolean });
    const app = await start(host, { guard });
    const refusal = await refused(app, { headers: await goodHeaders() });
    expect(verdict(refusal)).toMatch(/^(403 not_authorized|500 internal)$/);
    expect(app.handled).toEqual([]);
  });

  test.each(Object.keys(stages))('%s', async (name) => {
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
  });

  test('a listener that throws changes nothing for whoever is let in', async () => {
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
