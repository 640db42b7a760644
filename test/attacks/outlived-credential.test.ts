// A5, A9: a connection ends when its credential does. A renewal cannot change the subject or go beyond the lifetime, and a
// client that reconnects authenticates again.
import { describe, expect, test } from '@jest/globals';
import { bearer, custom, jwt, query, tickets } from '@sallyport/core';
import { ManualClock } from '../../packages/core/test/support/manual-clock.ts';
import { hosts } from '../contract/hosts/index.ts';
import { applications, verdict } from '../support/applications.ts';
import { authenticate, say } from '../support/auth-frames.ts';
import { APP, chatGuard, chatJwt, messages, NOW, SECRET, token } from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';

const DAY = 86_400;
const withToken = (text: string) => ({ headers: { Authorization: `Bearer ${text}`, Origin: APP } });
const codes = (texts: string[]) => texts.map((text) => JSON.parse(text) as { code?: string; type: string });

describe.each(hosts)('$name', (host) => {
  const { start, open, refused } = applications();

  const serve = async (options: object = {}) => {
    const clock = new ManualClock();
    const guard = chatGuard({ clock, renewal: true, ...options });
    return { clock, guard, app: await start(host, { guard }) };
  };

  test('when its token expires, a connection closes with 4401, and the token is refused with 401', async () => {
    const { app, clock } = await serve();
    const text = await token();
    const wire = await open(app, withToken(text));
    clock.advance(299_000);
    wire.send(say('still here'));
    await wire.messages(1);
    clock.advance(1_000);
    expect(await wire.closeCode()).toBe(4401);
    expect(verdict(await refused(app, withToken(text)))).toBe('401 credential_expired');
  });

  test('a token that expires in 29 days, longer than a timer can wait, closes the connection then and not at once', async () => {
    const { app, clock } = await serve();
    const wire = await open(app, withToken(await token({ exp: NOW + 29 * DAY })));
    clock.advance(60_000);
    wire.send(say('still here'));
    await wire.messages(1);
    clock.jump(29 * DAY * 1_000);
    clock.advance(1_000);
    expect(await wire.closeCode()).toBe(4401);
  });

  test('clockTolerance: 10s keeps an open connection for 10 s after exp', async () => {
    const auth = jwt({
      from: [bearer()],
      secret: SECRET,
      algorithms: ['HS256'],
      issuer: 'https://id.example.com',
      audience: 'chat',
      clockTolerance: '10s',
    });
    const { app, clock } = await serve({ auth: [auth] });
    const text = await token();
    clock.advance(309_000);
    const wire = await open(app, withToken(text));
    wire.send(say('still here'));
    await wire.messages(1);
    clock.advance(1_000);
    expect(await wire.closeCode()).toBe(4401);
    expect(verdict(await refused(app, withToken(text)))).toBe('401 credential_expired');
  });

  test('setting the wall clock back does not lengthen limits.lifetime, and setting it forward ends expired tokens', async () => {
    const { app, clock } = await serve({ limits: { lifetime: '1h' } });
    const long = await open(app, withToken(await token({ exp: NOW + DAY })));
    clock.jump(-7 * DAY * 1_000);
    clock.advance(3_600_000);
    expect(await long.closeCode()).toBe(1001);
    clock.jump(7 * DAY * 1_000 - 3_600_000);
    const short = await open(app, withToken(await token()));
    clock.jump(300_000);
    clock.advance(1_000);
    expect(await short.closeCode()).toBe(4401);
    // The token is remembered as verified, and its exp is still compared with the current time.
    const text = await token();
    expect(verdict(await refused(app, withToken(text)))).toBe('401 credential_expired');
    clock.jump(-300_000);
    await open(app, withToken(text));
    clock.jump(300_000);
    expect(verdict(await refused(app, withToken(text)))).toBe('401 credential_expired');
  });

  test('a renewal with another subject, another session or no session is refused, and the identity stays', async () => {
    const { app, clock, guard } = await serve();
    const wire = await open(app, withToken(await token({ sid: 's1' })));
    const others = [{ sub: 'mallory', sid: 's1' }, { sid: 's2' }, {}];
    for (const claims of others)
      wire.send(authenticate({ token: await token({ exp: NOW + 9_000, ...claims }) }));
    const replies = codes(await wire.messages(3));
    expect(replies.map(({ code }) => code)).toEqual(Array(3).fill('credential_invalid'));
    const [connection] = guard.connections();
    expect(connection?.identity).toMatchObject({ subject: 'alice', session: 's1', expiresAt: NOW + 300 });
    clock.advance(300_000);
    expect(await wire.closeCode()).toBe(4401);
  });

  test('a renewal by another issuer, by another scheme or without an issuer is refused', async () => {
    const id = { from: [bearer()], secret: SECRET, algorithms: ['HS256'], audience: 'chat' };
    const key = custom({
      scheme: 'jwt',
      from: [query('key')],
      messageField: 'key',
      authenticate: () => ({ subject: 'alice', expiresAt: NOW + 600 }),
    });
    const auth = [
      jwt({ ...id, issuer: ['https://staff.example.com', 'https://partner.example.com'] }),
      key,
      tickets(),
    ];
    const { app, guard } = await serve({ auth });
    const ofIssuer = (issuer: string) => token({ iss: `https://${issuer}.example.com`, exp: NOW + 600 });
    const ticket = await guard.tickets.issue({
      subject: 'alice',
      origin: APP,
      route: 'any',
      expiresAt: NOW + 600,
      claims: { iss: 'https://staff.example.com' },
    });
    const wire = await open(app, withToken(await ofIssuer('staff')));
    wire.send(authenticate({ token: await ofIssuer('partner') }));
    wire.send(authenticate({ ticket }));
    wire.send(authenticate({ key: 'of a device' }));
    wire.send(authenticate({ token: await ofIssuer('staff') }));
    expect(codes(await wire.messages(4)).map(({ type, code }) => code ?? type)).toEqual([
      'credential_invalid',
      'credential_invalid',
      'credential_invalid',
      'auth_ok',
    ]);
  });

  test('a renewal with fewer claims takes permissions away from the open connection', async () => {
    const { app } = await serve({
      messages: {
        ...messages,
        say: {
          schema: messages.say,
          authorize: ({ identity }: { identity: { claims: { role?: string } } }) =>
            identity.claims.role === 'speaker',
        },
        note: { schema: messages.note, authorize: 'any' },
      },
    });
    const wire = await open(app, withToken(await token({ role: 'speaker' })));
    wire.send(say('as a speaker'));
    expect(codes(await wire.messages(1))[0]).toMatchObject({ type: 'said' });
    wire.send(authenticate({ token: await token({ role: 'listener' }) })).send(say('as a listener'));
    expect(codes(await wire.messages(3)).slice(1)).toMatchObject([
      { type: 'auth_ok' },
      { type: 'error', code: 'message_forbidden' },
    ]);
  });

  test('a connection that is renewed every two minutes still ends at limits.lifetime', async () => {
    const { app, clock } = await serve({ limits: { lifetime: '10m' } });
    const wire = await open(app, withToken(await token()));
    for (let minute = 2; minute < 10; minute += 2) {
      clock.advance(120_000);
      wire.send(authenticate({ token: await token({ exp: NOW + minute * 60 + 300 }) }));
      await wire.messages(minute / 2);
    }
    clock.advance(120_000);
    expect(await wire.closeCode()).toBe(1001);
  });

  test('a message with freshness is refused with step_up_required until a renewal', async () => {
    const { app, clock } = await serve({
      messages: { ...messages, say: { schema: messages.say, freshness: '1m' } },
    });
    const wire = await open(app, withToken(await token()));
    clock.advance(61_000);
    wire
      .send(say('too late'))
      .send(authenticate({ token: await token({ iat: NOW + 61 }) }))
      .send(say('now'));
    expect(codes(await wire.messages(3))).toMatchObject([
      { type: 'error', code: 'step_up_required' },
      { type: 'auth_ok' },
      { type: 'said', text: 'now' },
    ]);
  });

  test('a client that reconnects with a spent ticket or an old connection id is refused', async () => {
    const { app, guard } = await serve({ auth: [chatJwt([bearer()]), tickets()], firstMessage: true });
    const ticket = await guard.tickets.issue({ subject: 'alice', origin: APP, route: '/chat' });
    const wire = await open(app, { target: `/chat?ticket=${ticket}`, headers: { Origin: APP } });
    await eventually(() => app.handled.length === 1, 'the handler');
    const [{ id }] = [...guard.connections()] as unknown as [{ id: string }];
    wire.destroy();
    await eventually(() => guard.stats().connections === 0, 'its end');
    const again = { target: `/chat?ticket=${ticket}&connection=${id}&sid=${id}`, headers: { Origin: APP } };
    expect(verdict(await refused(app, again))).toBe('401 credential_invalid');
    const without = await open(app, { target: `/chat?resume=${id}`, headers: { Origin: APP } });
    without.send(say('I was here before'));
    expect(await without.closeCode()).toBe(4401);
    expect(app.handled).toHaveLength(1);
  });
});
