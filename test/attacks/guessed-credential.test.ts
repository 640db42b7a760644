// A7: each address has a budget for failed attempts; beyond it nothing is verified (CVE-2026-31903). An issuer that cannot be
// reached is neither a failed attempt nor a wrong credential.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { bearer, custom, jwt } from '@sallyport/core';
import { ManualClock } from '../../packages/core/test/support/manual-clock.ts';
import { hosts } from '../contract/hosts/index.ts';
import { applications, verdict } from '../support/applications.ts';
import { authenticate } from '../support/auth-frames.ts';
import { APP, chatGuard, NOW } from '../support/chat-policy.ts';
import { Issuer } from '../support/issuer.ts';

const withToken = (text: string, more: object = {}) => ({
  headers: { Authorization: `Bearer ${text}`, Origin: APP, ...more },
});
const limits = { authFailures: { rate: '3/m', burst: 3 } } as const;

describe.each(hosts)('$name', (host) => {
  const { start, open, refused } = applications();

  const serve = async (options: object = {}) => {
    const clock = new ManualClock();
    const verified: string[] = [];
    const auth = custom({
      scheme: 'key',
      from: [bearer()],
      messageField: 'token',
      authenticate: ({ credential = '' }) => {
        verified.push(credential);
        return credential === 'right' ? { subject: 'alice' } : undefined;
      },
    });
    const guard = chatGuard({ clock, auth: [auth] as never, limits, ...options });
    return { clock, guard, verified, app: await start(host, { guard }) };
  };

  test('after three wrong credentials every further one gets 429 unverified, also a right one, until time has passed', async () => {
    const { app, clock, verified } = await serve();
    for (let i = 0; i < 3; i++)
      expect(verdict(await refused(app, withToken(`guess ${i}`)))).toBe('401 credential_invalid');
    for (const text of ['guess 3', 'right', 'guess 4']) {
      const answer = await refused(app, withToken(text));
      expect(verdict(answer)).toBe('429 auth_attempts');
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    }
    expect(verified).toHaveLength(3);
    clock.advance(20_000);
    await open(app, withToken('right'));
    expect(verified).toHaveLength(4);
  });

  test('of 30 wrong credentials at once only three are verified', async () => {
    let verifications = 0;
    const auth = custom({
      scheme: 'key',
      from: [bearer()],
      authenticate: async () => {
        verifications++;
        await new Promise((resolve) => setImmediate(resolve));
        return undefined;
      },
    });
    const { app } = await serve({ auth: [auth] });
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, i) => refused(app, withToken(`guess ${i}`))),
    );
    expect(answers.map(verdict).sort()).toEqual([
      ...Array(3).fill('401 credential_invalid'),
      ...Array(27).fill('429 auth_attempts'),
    ]);
    expect(verifications).toBe(3);
  });

  test('ten right credentials in a row are all admitted: success uses up no attempts', async () => {
    const { app, verified } = await serve();
    for (let i = 0; i < 10; i++) await open(app, withToken('right'));
    expect(verified).toHaveLength(10);
  });

  test('wrong credentials in first messages and in handshakes count together', async () => {
    const { app, verified } = await serve({ firstMessage: true });
    await refused(app, withToken('guess'));
    const wire = await open(app, { headers: { Origin: APP } });
    for (let i = 0; i < 2; i++) wire.send(authenticate({ token: 'guess' }));
    wire.send(authenticate({ token: 'right' }));
    expect(await wire.closeCode()).toBe(4429);
    expect(verdict(await refused(app, withToken('right')))).toBe('429 auth_attempts');
    expect([verified.length, app.handled]).toEqual([3, []]);
  });

  test('behind a trusted proxy the budget belongs to the /64 of the forwarded address', async () => {
    const { app } = await serve({ trustedProxies: ['127.0.0.1'], transport: undefined });
    const by = (address: string) => ({ 'X-Forwarded-For': address, 'X-Forwarded-Proto': 'https' });
    for (let i = 0; i < 3; i++) await refused(app, withToken('guess', by('2001:db8::1')));
    // An address in the same /64.
    expect(verdict(await refused(app, withToken('right', by('2001:db8::2'))))).toBe('429 auth_attempts');
    await open(app, withToken('right', by('2001:db8:1::1')));
  });

  describe('an issuer that publishes its keys', () => {
    let issuer: Issuer;
    beforeEach(async () => {
      issuer = await Issuer.start();
    });
    afterEach(() => issuer.stop());

    const serveIssuer = () => {
      const { jwks, name } = issuer;
      const auth = jwt({ from: [bearer()], jwks, algorithms: ['ES256'], issuer: name, audience: 'chat' });
      return start(host, { guard: chatGuard({ auth: [auth] as never, limits }) });
    };
    const mint = (header: object = {}) => issuer.token({ sub: 'alice', iat: NOW, exp: NOW + 300 }, header);

    test.each(['fails', 'lies'] as const)(
      'an issuer that %s: five tokens get 503, one fetch is made, and no attempt is counted',
      async (behaviour) => {
        const app = await serveIssuer();
        issuer.behave(behaviour);
        for (let i = 0; i < 5; i++) {
          expect(verdict(await refused(app, withToken(await mint())))).toBe('503 auth_unavailable');
        }
        expect([issuer.fetches, app.handled]).toEqual([1, []]);
      },
    );

    test('an issuer that cannot be reached: a token gets 503', async () => {
      const app = await serveIssuer();
      const text = await mint();
      await issuer.stop();
      expect(verdict(await refused(app, withToken(text)))).toBe('503 auth_unavailable');
      issuer = await Issuer.start();
    });
  });
});
