// A6: a revocation closes every socket of the subject, session or token at once. The credential is refused from then on, also in
// a handshake that began before the revocation, for as long as the credential could have lived.
import { describe, expect, test } from '@jest/globals';
import { type AnyGuard, bearer, custom, jwt } from '@sallyport/core';
import { ManualClock } from '../../packages/core/test/support/manual-clock.ts';
import { hosts } from '../contract/hosts/index.ts';
import { applications, verdict } from '../support/applications.ts';
import { authenticate, say } from '../support/auth-frames.ts';
import {
  APP,
  chatGuard,
  messages,
  NOW,
  type PolicyOverrides,
  SECRET,
  token,
} from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';
import type { Wire } from '../support/wire.ts';

const withToken = (text: string) => ({ headers: { Authorization: `Bearer ${text}`, Origin: APP } });

/** Holds all callers of `pass` until a test opens it. */
function barrier() {
  let waiting = 0;
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return {
    open,
    waiting: () => waiting,
    async pass<T>(answer: T): Promise<T> {
      waiting++;
      await opened;
      return answer;
    },
  };
}

describe.each(hosts)('$name', (host) => {
  const { start, dial, open, refused } = applications();

  test.each<[string, object, Record<string, string>]>([
    ['a subject', { subject: 'alice' }, {}],
    ['a session', { session: 's1' }, { sid: 's1' }],
    ['a token', { tokenId: 't1' }, { jti: 't1' }],
  ])(
    'revoking %s closes all its sockets with 4401 and no others, and its token gets 401',
    async (_what, revocation, claims) => {
      const guard: AnyGuard = chatGuard({ firstMessage: true });
      const app = await start(host, { guard });
      const text = await token(claims);
      const hers = [await open(app, withToken(text)), await open(app, withToken(text))];
      const late = await open(app, { headers: { Origin: APP } });
      late.send(authenticate({ token: text }));
      const his = await open(app, withToken(await token({ sub: 'bob', sid: 's2', jti: 't2' })));
      await eventually(() => guard.stats().connections === 4, 'all four');
      await guard.revoke(revocation);
      expect(await Promise.all([...hers, late].map((wire) => wire.closeCode()))).toEqual([4401, 4401, 4401]);
      for (const wire of [...hers, late]) wire.destroy();
      await eventually(() => guard.stats().connections === 1, 'his alone');
      expect(his.frames()).toEqual([]);
      expect(verdict(await refused(app, withToken(text)))).toBe('401 revoked');
    },
  );

  test('after a revocation a token issued later is admitted, and one without iat gets 401', async () => {
    const clock = new ManualClock();
    const guard = chatGuard({ clock });
    const app = await start(host, { guard });
    await guard.revoke({ subject: 'alice' });
    clock.advance(1_000);
    expect(verdict(await refused(app, withToken(await token({ iat: undefined as never }))))).toBe(
      '401 revoked',
    );
    await open(app, withToken(await token({ iat: NOW + 1 })));
  });

  test('a token from a clock that is ahead gets 401, and with clockTolerance a revocation covers it', async () => {
    const clock = new ManualClock();
    const ahead = await token({ iat: NOW + 30 });
    const strict = await start(host, { guard: chatGuard({ clock }) });
    expect(verdict(await refused(strict, withToken(ahead)))).toBe('401 credential_invalid');
    const auth = jwt({
      from: [bearer()],
      secret: SECRET,
      algorithms: ['HS256'],
      issuer: 'https://id.example.com',
      audience: 'chat',
      clockTolerance: '30s',
    });
    const guard = chatGuard({ clock, auth: [auth] });
    const app = await start(host, { guard });
    const wire = await open(app, withToken(ahead));
    await guard.revoke({ subject: 'alice' });
    expect(await wire.closeCode()).toBe(4401);
    expect(verdict(await refused(app, withToken(ahead)))).toBe('401 revoked');
    clock.advance(40_000);
    expect(verdict(await refused(app, withToken(ahead)))).toBe('401 revoked');
    await open(app, withToken(await token({ iat: NOW + 31 })));
  });

  test.each<[string, (now: number) => unknown, string]>([
    ['seconds', (now) => now, '401 revoked'],
    ['a Date', (now) => new Date(now * 1_000), '401 revoked'],
    ['seconds ahead of this clock', (now) => now + 3_600, '401 revoked'],
    ['milliseconds', (now) => now * 1_000, '500 internal'],
    ['an ISO text', (now) => new Date(now * 1_000).toISOString(), '500 internal'],
  ])(
    'after a revocation a login of before, dated in %s, does not get in again',
    async (_unit, dated, expected) => {
      const clock = new ManualClock();
      const login = { subject: 'alice', issuedAt: dated(NOW - 60) as number };
      const session = custom({ scheme: 'session', from: [bearer()], authenticate: () => login });
      const guard = chatGuard({ clock, auth: [session] as never });
      const app = await start(host, { guard });
      await guard.revoke({ subject: 'alice' });
      clock.advance(10_000);
      expect(verdict(await refused(app, withToken('x')))).toBe(expected);
    },
  );

  test('a token that lives longer than limits.revocationRetention gets 401 once its revocation may be forgotten', async () => {
    const clock = new ManualClock();
    const guard = chatGuard({ clock, limits: { revocationRetention: '1d', revocations: 2 } });
    const app = await start(host, { guard });
    const long = await token({ exp: NOW + 2 * 86_400 });
    // The list forgets this revocation before the token expires.
    await guard.revoke({ subject: 'alice' });
    clock.advance(86_400_000 + 1_000);
    for (const subject of ['x', 'y']) await guard.revoke({ subject });
    expect(verdict(await refused(app, withToken(long)))).toBe('401 credential_invalid');
  });

  describe('a revocation during an await', () => {
    const stages: readonly (readonly [string, (wait: ReturnType<typeof barrier>) => PolicyOverrides])[] = [
      [
        'while it is authenticated',
        ({ pass }) => ({
          auth: [
            custom({
              scheme: 'key',
              from: [bearer()],
              messageField: 'token',
              authenticate: () => pass({ subject: 'alice', issuedAt: NOW }),
            }),
          ] as never,
        }),
      ],
      ['while it is authorized', ({ pass }) => ({ authorize: () => pass(true) })],
    ];

    test.each(stages)(
      'a revocation during a handshake, %s, refuses or closes it and no handler runs',
      async (_what, options) => {
        const wait = barrier();
        const guard = chatGuard(options(wait));
        const app = await start(host, { guard });
        const wire = (await dial(app)).handshake(withToken(await token()));
        await eventually(() => wait.waiting() === 1, 'the await');
        await guard.revoke({ subject: 'alice' });
        wait.open();
        const { status } = await wire.head();
        if (status === 101) expect(await wire.closeCode()).toBe(4401);
        else expect(status).toBe(401);
        expect(app.handled).toEqual([]);
        wire.destroy();
        await eventually(() => guard.stats().connections === 0, 'the slots');
      },
    );

    test.each(stages)(
      'a revocation during a first message, %s, closes it with 4401 and no handler runs',
      async (_what, options) => {
        const wait = barrier();
        const guard = chatGuard({ firstMessage: true, ...options(wait) });
        const app = await start(host, { guard });
        const wire = await open(app, { headers: { Origin: APP } });
        wire.send(authenticate({ token: await token() }));
        await eventually(() => wait.waiting() === 1, 'the await');
        await guard.revoke({ subject: 'alice' });
        wait.open();
        expect(await wire.closeCode()).toBe(4401);
        expect([app.handled, guard.stats()]).toMatchObject([[], { connections: 0, pending: 0 }]);
      },
    );
  });

  test('of 20 handshakes around a revocation none stays connected', async () => {
    const guard = chatGuard();
    const app = await start(host, { guard });
    const text = await token();
    const wires: Wire[] = [];
    const attempts: Promise<unknown>[] = [];
    for (let i = 0; i < 20; i++) {
      const wire = await dial(app);
      wires.push(wire);
      attempts.push(wire.handshake(withToken(text)).head());
      if (i === 10) attempts.push(guard.revoke({ subject: 'alice' }));
    }
    await Promise.all(attempts);
    await eventually(() => [...guard.connections()].every(({ state }) => state !== 'open'), 'their end');
    for (const wire of wires) wire.destroy();
    await eventually(() => guard.stats().connections === 0, 'the slots');
    expect(verdict(await refused(app, withToken(text)))).toBe('401 revoked');
  });

  test('with recheck: true, a message closes the connection with 4401 once stillValid returns false', async () => {
    let active = true;
    const session = custom({
      scheme: 'session',
      from: [bearer()],
      authenticate: () => ({ subject: 'alice', stillValid: async () => active }),
    });
    const { say: schema, note } = messages;
    const guard = chatGuard({
      auth: [session] as never,
      messages: { note, say: { schema, recheck: true } } as never,
    });
    const said: string[] = [];
    const app = await start(host, {
      guard,
      chat: (connection) => {
        connection.on('say', (message) => void said.push((message as { text: string }).text));
      },
    });
    const wire = await open(app, withToken('x'));
    wire.send(say('before'));
    await eventually(() => said.length === 1, 'the first message');
    active = false;
    wire.send(say('after'));
    expect(await wire.closeCode()).toBe(4401);
    expect(said).toEqual(['before']);
  });

  test('with recheckEvery, a connection closes with 4401 at the first recheck after stillValid returns false', async () => {
    const clock = new ManualClock();
    let active = true;
    const session = custom({
      scheme: 'session',
      from: [bearer()],
      recheckEvery: '10s',
      authenticate: () => ({ subject: 'alice', stillValid: async () => active }),
    });
    const guard = chatGuard({ clock, auth: [session] as never });
    const app = await start(host, { guard });
    const wire = await open(app, withToken('x'));
    clock.advance(10_000);
    await eventually(() => guard.stats().connections === 1, 'nothing');
    active = false;
    clock.advance(10_000);
    expect(await wire.closeCode()).toBe(4401);
  });
});
