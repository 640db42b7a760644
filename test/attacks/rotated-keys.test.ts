// A7: an issuer that changes its keys, or publishes a broken entry, locks nobody out: a key id that the guard may not look up
// yet is not known to be wrong. Ids that a client invents cost one fetch for each cool-down.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { bearer, jwt } from '@sallyport/core';
import { ManualClock } from '../../packages/core/test/support/manual-clock.ts';
import { hosts } from '../contract/hosts/index.ts';
import { applications, verdict } from '../support/applications.ts';
import { authenticate, say } from '../support/auth-frames.ts';
import { APP, chatGuard, NOW } from '../support/chat-policy.ts';
import { Issuer } from '../support/issuer.ts';
import type { Wire } from '../support/wire.ts';

const withToken = (text: string) => ({ headers: { Authorization: `Bearer ${text}`, Origin: APP } });
const limits = { authFailures: { rate: '3/m', burst: 3 }, violations: { rate: '3/m', burst: 3 } } as const;

let issuer: Issuer;
beforeEach(async () => {
  issuer = await Issuer.start();
});
afterEach(() => issuer.stop());

const mint = (header: object = {}, from = issuer) =>
  from.token({ sub: 'alice', iat: NOW, exp: NOW + 300 }, header);
const replies = async (wire: Wire, count: number): Promise<unknown[]> =>
  (await wire.messages(count)).map((text) => JSON.parse(text));
const unavailable = (retryAfter: number) => ({
  type: 'error',
  code: 'auth_unavailable',
  message: 'Authentication is not available at the moment.',
  retryAfter,
});

describe.each(hosts)('$name', (host) => {
  const { start, open, refused } = applications();

  const serve = async (options: object = {}) => {
    const { jwks, name } = issuer;
    const clock = new ManualClock();
    const auth = jwt({ from: [bearer()], jwks, algorithms: ['ES256'], issuer: name, audience: 'chat' });
    const guard = chatGuard({ clock, auth: [auth] as never, limits, ...options });
    const denied: string[] = [];
    guard.on('handshake.denied', ({ detail }) => void denied.push(detail));
    return { clock, denied, app: await start(host, { guard }) };
  };

  test('tokens under a new key get 503 with the seconds left, use up no attempts, and pass after the cool-down', async () => {
    const { app, clock, denied } = await serve();
    await open(app, withToken(await mint()));
    const before = await mint();
    issuer.rotate({ keep: true });
    const after = await mint();
    clock.advance(12_500);
    for (let i = 0; i < 5; i++) {
      const answer = await refused(app, withToken(after));
      expect([verdict(answer), answer.headers['retry-after']]).toEqual(['503 auth_unavailable', '18']);
    }
    expect(denied[0]).toMatch(/it may have a new one/);
    expect(denied.join()).not.toContain('key-2');
    await open(app, withToken(before));
    clock.advance(17_500);
    await open(app, withToken(after));
    await open(app, withToken(before));
    expect(issuer.fetches).toBe(2);
  });

  test('of tokens with invented key ids only the one that the issuer was asked about is a failed attempt', async () => {
    const { app, clock } = await serve();
    const right = await mint();
    await open(app, withToken(right));
    for (let round = 1; round <= 2; round++) {
      clock.advance(30_000);
      const answers = [];
      for (let i = 0; i < 5; i++)
        answers.push(verdict(await refused(app, withToken(await mint({ kid: `${round}.${i}` })))));
      expect(answers).toEqual(['401 credential_invalid', ...Array(4).fill('503 auth_unavailable')]);
      expect(issuer.fetches).toBe(1 + round);
      await open(app, withToken(right));
    }
  });

  test('a first message under a new key is told the seconds left, closes with 1013, and uses up no attempts', async () => {
    const { app, clock } = await serve({ firstMessage: true });
    await open(app, withToken(await mint()));
    issuer.rotate({ keep: true });
    const token = await mint();
    for (let i = 0; i < 5; i++) {
      const wire = await open(app, { headers: { Origin: APP } });
      wire.send(authenticate({ token }));
      expect(await replies(wire, 1)).toEqual([unavailable(30)]);
      expect(await wire.closeCode()).toBe(1013);
    }
    clock.advance(30_000);
    const wire = await open(app, { headers: { Origin: APP } });
    wire.send(authenticate({ token })).send(say('hello'));
    expect(await replies(wire, 1)).toEqual([expect.objectContaining({ text: 'hello' })]);
  });

  test('a renewal under a new key is told the seconds left, is no violation, and passes after the cool-down', async () => {
    const { app, clock } = await serve({ renewal: true });
    const wire = await open(app, withToken(await mint()));
    issuer.rotate({ keep: true });
    const token = await mint();
    clock.advance(10_000);
    for (let i = 0; i < 5; i++) wire.send(authenticate({ token }));
    expect(await replies(wire, 5)).toEqual(Array(5).fill(unavailable(20)));
    clock.advance(20_000);
    wire.send(authenticate({ token }));
    expect((await replies(wire, 6))[5]).toEqual({ type: 'auth_ok', expiresAt: NOW + 300 });
    await open(app, withToken(token));
  });

  test('a broken entry takes no other key away, and its own tokens are told that the keys are unavailable', async () => {
    const [key] = issuer.keys;
    issuer.publish([null, 'text', { kty: 'EC', kid: 'broken', crv: 'P-256', x: 'AA', y: 'AA' }, key]);
    const { app, denied } = await serve();
    await open(app, withToken(await mint()));
    for (let i = 0; i < 5; i++)
      expect(verdict(await refused(app, withToken(await mint({ kid: 'broken' }))))).toBe(
        '503 auth_unavailable',
      );
    expect(denied[0]).toMatch(/key 2 of .*jwks\.json cannot be used: its members cannot be read/);
    await open(app, withToken(await mint()));
  });

  test('a set of certificates alone (x5c) verifies tokens', async () => {
    issuer.publish([{ kty: 'EC', kid: 'key-1', use: 'sig', x5c: [await issuer.certificate()] }]);
    const { app } = await serve();
    await open(app, withToken(await mint()));
    const other = await Issuer.start();
    const forged = await mint({}, other);
    await other.stop();
    expect(verdict(await refused(app, withToken(forged)))).toBe('401 credential_invalid');
  });
});
