// D4: a client that keeps breaking the rules is banned for a while: its identity, or its address if it has no identity.
// Only what the client itself must have done counts. What a foreign page can make a visitor's browser send never bans.
import { describe, expect, test } from '@jest/globals';
import { bearer, query, tickets, unsafeAllowAnyOrigin } from '@sallyport/core';
import { ManualClock } from '../../packages/core/test/support/manual-clock.ts';
import { hosts } from '../contract/hosts/index.ts';
import { applications, verdict } from '../support/applications.ts';
import { authenticate, send } from '../support/auth-frames.ts';
import { APP, chatGuard, chatJwt, NOW, token } from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';
import type { HandshakeOptions } from '../support/wire.ts';

const HERE = '203.0.113.7';
/** A client whom a trusted proxy names: loopback itself is never banned. */
const by = (address: string, headers: object = {}, target = '/chat'): HandshakeOptions => ({
  target,
  headers: { 'X-Forwarded-For': address, 'X-Forwarded-Proto': 'https', Origin: APP, ...headers },
});
const as = async (subject: string, address = HERE) =>
  by(address, { Authorization: `Bearer ${await token({ sub: subject, exp: NOW + 3_600 })}` });
const wrong = (address = HERE) => by(address, { Authorization: 'Bearer wrong' });
const UNLISTED = send({ type: 'unheard of' });
const VIOLATIONS = 3;

describe.each(hosts)('$name', (host) => {
  const { start, open, refused } = applications();

  const serve = async (options: object = {}) => {
    const clock = new ManualClock();
    const guard = chatGuard({
      clock,
      trustedProxies: ['127.0.0.1'],
      bans: { after: { rate: '5/m', burst: 5 }, for: '10m', growth: 3 },
      ...options,
      limits: { violations: VIOLATIONS, ...(options as { limits?: object }).limits },
    });
    return { clock, guard, app: await start(host, { guard }) };
  };

  test('six refused messages in a minute ban the identity: its sockets close and its handshakes get 403 from every address', async () => {
    const { app, clock, guard } = await serve();
    const offend = async (expected: number) => {
      const wire = await open(app, await as('mallory'));
      for (let i = 0; i < VIOLATIONS; i++) wire.send(UNLISTED);
      expect(await wire.closeCode()).toBe(expected);
    };
    const bystander = await open(app, await as('mallory'));
    await offend(1008);
    expect(bystander.frames()).toEqual([]);
    // The sixth within a minute.
    await offend(1008);
    expect(await bystander.closeCode()).toBe(4403);
    for (const address of [HERE, '198.51.100.1']) {
      const answer = await refused(app, await as('mallory', address));
      expect([verdict(answer), answer.headers['retry-after']]).toEqual(['403 banned', '600']);
    }
    // Other identities still get in, also from the same address.
    await open(app, await as('alice'));

    clock.advance(600_000);
    for (let i = 0; i < 2; i++) await offend(1008);
    expect((await refused(app, await as('mallory'))).headers['retry-after']).toBe('1800');
    expect(await guard.bans.list()).toMatchObject([{ key: 'identity mallory', count: 2 }]);
    expect(await guard.bans.lift({ subject: 'mallory' })).toBe(true);
    await open(app, await as('mallory'));
  });

  test('six wrong tokens ban the IPv6 /64 they came from: a right token from it gets 403 until the ban ends', async () => {
    const { app, clock, guard } = await serve();
    for (let i = 0; i < 6; i++)
      expect(verdict(await refused(app, wrong(`2001:db8::${i}`)))).toBe('401 credential_invalid');
    expect(verdict(await refused(app, await as('alice', '2001:db8::7')))).toBe('403 banned');
    await open(app, await as('alice', '2001:db8:0:1::7'));
    expect(await guard.bans.list()).toMatchObject([{ key: 'address 2001:db8::/64' }]);
    clock.advance(600_000);
    await open(app, await as('alice', '2001:db8::7'));
  });

  test('wrong tokens in handshakes and in first messages count together, and the ban also closes a socket that is still pending', async () => {
    const { app } = await serve({ firstMessage: true, limits: { authAttempts: 10 } });
    for (let i = 0; i < 4; i++) await refused(app, wrong());
    const waiting = await open(app, by(HERE));
    const guessing = await open(app, by(HERE));
    for (let i = 0; i < 2; i++) guessing.send(authenticate({ token: 'wrong' }));
    await guessing.messages(2);
    waiting.send(authenticate({ token: await token() }));
    expect(await waiting.closeCode()).toBe(4403);
    expect(verdict(await refused(app, await as('alice')))).toBe('403 banned');
    expect(app.handled).toEqual([]);
  });

  test('twelve wrong tokens ban neither loopback nor a trusted proxy', async () => {
    const direct = await serve({ trustedProxies: undefined });
    const proxied = await serve();
    const own = { headers: { Origin: APP, Authorization: 'Bearer wrong' } };
    for (const { app, guard } of [direct, proxied]) {
      for (let i = 0; i < 12; i++) expect(verdict(await refused(app, own))).toBe('401 credential_invalid');
      expect(await guard.bans.list()).toEqual([]);
    }
  });

  test("with bans.closes: 'all', a ban of an address closes its open connections and no others", async () => {
    const { app, guard } = await serve({
      bans: { after: { rate: '5/m', burst: 5 }, closes: 'all' },
    });
    const [here, elsewhere] = [
      await open(app, await as('alice')),
      await open(app, await as('bob', '203.0.113.8')),
    ];
    await eventually(() => guard.stats().connections === 2, 'both');
    for (let i = 0; i < 6; i++) await refused(app, wrong());
    expect(await here.closeCode()).toBe(4403);
    expect(elsewhere.frames()).toEqual([]);
  });

  describe('what a page of another site can make the browser of its visitor send:', () => {
    const foreign = 'https://evil.example';
    const auth = [chatJwt(), tickets()];
    const attempts: [string, object, () => Promise<HandshakeOptions> | HandshakeOptions][] = [
      [
        'handshakes with their cookies',
        {},
        async () => by(HERE, { Origin: foreign, Cookie: `token=${await token()}` }),
      ],
      ['handshakes with a wrong token', {}, () => by(HERE, { Origin: foreign }, '/chat?token=wrong')],
      ['handshakes for another name', {}, () => by(HERE, { Host: 'evil.example', Origin: foreign })],
      ['handshakes without TLS', {}, () => by(HERE, { 'X-Forwarded-Proto': 'http' })],
      [
        'handshakes out of a sandbox, with a wrong token',
        {},
        () => by(HERE, { Origin: 'null' }, '/chat?token=wrong'),
      ],
      [
        'handshakes out of a sandbox, with a wrong ticket',
        { auth },
        () => by(HERE, { Origin: 'null' }, '/chat?ticket=wrong'),
      ],
      [
        'handshakes with a wrong token, where every page may connect',
        { origins: unsafeAllowAnyOrigin, auth: [chatJwt([bearer(), query('token')])] },
        () => by(HERE, { Origin: foreign }, '/chat?token=wrong'),
      ],
      [
        'handshakes with a wrong token as a subprotocol',
        {},
        () => by(HERE, { Origin: 'null', 'Sec-WebSocket-Protocol': 'bearer, wrong' }),
      ],
    ];
    test.each(attempts)('%s are refused twelve times and ban nobody', async (_what, options, attempt) => {
      const { app, guard } = await serve(options);
      for (let i = 0; i < 12; i++) {
        const { status } = await refused(app, await attempt());
        expect([400, 401, 403]).toContain(status);
      }
      expect(await guard.bans.list()).toEqual([]);
      await open(app, await as('alice'));
    });
  });
});
