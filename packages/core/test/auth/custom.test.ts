import { describe, expect, test } from '@jest/globals';
import { bearer, cookie } from '../../src/auth/credential-source.ts';
import { type CustomIdentity, type CustomOptions, custom } from '../../src/auth/custom.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { present } from '../support/present.ts';
import { bareThenable } from '../support/thenable.ts';

const clock = new ManualClock();
const NOW = clock.now() / 1_000;
type Answer = ReturnType<CustomOptions<string, never>['authenticate']>;
const answering = (answer: unknown) =>
  custom({ scheme: 'key', from: [bearer()], authenticate: () => answer as Answer });

test('authenticate gets credential, request and signal, and its identity is frozen', async () => {
  const seen: unknown[] = [];
  const authenticator = custom({
    scheme: 'key',
    from: [bearer()],
    authenticate: async ({ credential, request, signal }) => {
      seen.push(credential, request.address, signal.aborted);
      return { subject: 'svc', tokenId: 'k1', expiresAt: NOW + 60, claims: { scopes: ['read'] } };
    },
  });
  const identity = await present(authenticator, 'abc', clock);
  expect(seen).toEqual(['abc', '203.0.113.7', false]);
  expect(identity).toMatchObject({
    scheme: 'key',
    subject: 'svc',
    tokenId: 'k1',
    claims: { scopes: ['read'] },
  });
  expect(Object.isFrozen((identity as unknown as { claims: { scopes: string[] } }).claims.scopes)).toBe(true);
});

test.each([undefined, null])(
  'authenticate returns %s: the credential is wrong, or without sources there was none',
  async (nothing) => {
    expect(await present(answering(nothing), 'abc', clock)).toMatchObject({ reason: 'credential_invalid' });
    expect(
      await present(custom({ scheme: 's', authenticate: () => nothing }), undefined, clock),
    ).toBeUndefined();
  },
);

describe('failures deny', () => {
  const throwing = (error: unknown) =>
    custom({
      scheme: 'key',
      from: [bearer()],
      authenticate: () => {
        throw error;
      },
    });

  test('an authenticate that throws or rejects denies with auth_unavailable and hides the error', async () => {
    for (const authenticator of [
      throwing(new Error('connect ECONNREFUSED db.internal')),
      answering(Promise.reject(new Error('connect ECONNREFUSED db.internal'))),
    ]) {
      const denial = await present(authenticator, 'abc', clock);
      expect(denial).toMatchObject({ reason: 'auth_unavailable' });
      expect(JSON.stringify(denial)).not.toContain('db.internal');
    }
  });

  test.each([{}, { subject: '' }, { subject: 7 }, true, 'alice'])(
    'an identity without a usable subject denies with internal: %j',
    async (answer) => {
      expect(await present(answering(answer), 'abc', clock)).toMatchObject({ reason: 'internal' });
      expect(await present(answering(Promise.resolve(answer)), 'abc', clock)).toMatchObject({
        reason: 'internal',
      });
    },
  );

  test("an identity that has expired by the guard's clock denies with credential_expired", async () => {
    const until = (expiresAt: number): CustomIdentity<never> => ({ subject: 'svc', expiresAt });
    expect(await present(answering(until(NOW)), 'abc', clock)).toMatchObject({
      reason: 'credential_expired',
    });
    expect(await present(answering(until(NOW + 1)), 'abc', clock)).toMatchObject({ subject: 'svc' });
  });

  test('times may be Dates, and become seconds', async () => {
    const answer = {
      subject: 'svc',
      issuedAt: new Date(NOW * 1_000 - 500),
      expiresAt: new Date(NOW * 1_000 + 60_000),
    };
    expect(await present(answering(answer), 'abc', clock)).toMatchObject({
      issuedAt: NOW - 0.5,
      expiresAt: NOW + 60,
    });
    const past = { subject: 'svc', expiresAt: new Date(NOW * 1_000) };
    expect(await present(answering(past), 'abc', clock)).toMatchObject({ reason: 'credential_expired' });
  });

  test('an issuedAt ahead of the clock counts as unknown', async () => {
    const answer = { subject: 'svc', issuedAt: NOW + 2 };
    const identity = (await present(answering(answer), 'abc', clock)) as { issuedAt?: number };
    expect(identity.issuedAt).toBeUndefined();
  });

  const wrong: [string, unknown, RegExp][] = [
    ['milliseconds', NOW * 1_000, /can only be in milliseconds: give seconds/],
    ['an ISO text', new Date(NOW * 1_000).toISOString(), /is no number and no Date: give seconds/],
    ['a number as text', String(NOW), /is no number and no Date/],
    ['NaN', Number.NaN, /is no time/],
    ['infinity', Number.POSITIVE_INFINITY, /can only be in milliseconds/],
    ['a negative number', -1, /is no time/],
    ['a Date without a time', new Date('soon'), /is no time/],
    ['null', null, /is no number and no Date/],
    ['a bigint', BigInt(NOW), /is no number and no Date/],
  ];
  test.each(
    wrong.flatMap(([what, value, detail]) =>
      ['issuedAt', 'expiresAt'].map((field) => ({ what, field, value, detail })),
    ),
  )(
    'an identity whose $field is $what denies with internal and says "seconds"',
    async ({ field, value, detail }) => {
      const denial = await present(answering({ subject: 'svc', [field]: value }), 'abc', clock);
      expect(denial).toMatchObject({ reason: 'internal', detail: expect.stringMatching(detail) });
      expect((denial as { detail: string }).detail).toContain(
        `custom({ scheme: 'key' }) returned an identity whose ${field}`,
      );
    },
  );

  test('an answer with a then that returns nothing is awaited', async () => {
    const outcome = await present(answering(bareThenable(null)), 'abc', clock);
    expect(outcome).toMatchObject({ reason: 'credential_invalid' });
  });
});

test('custom() is ambient by default and not with ambient: false', () => {
  const authenticate = () => undefined;
  expect(custom({ scheme: 's', authenticate }).ambient).toBe(true);
  expect(custom({ scheme: 's', ambient: false, authenticate }).ambient).toBe(false);
});

describe('refused at construction', () => {
  const refused: [string, Record<string, unknown>, RegExp][] = [
    ['an unknown option', { form: [] }, /^custom\(\{ form \}\): unknown option\. Did you mean 'from'\?/],
    ['no scheme', { scheme: '' }, /has no name/],
    ['the scheme of anonymous()', { scheme: 'anonymous' }, /belongs to anonymous/],
    ['no authenticate function', { authenticate: undefined }, /not a function/],
    [
      'ambient beside sources',
      { from: [cookie('a')], ambient: false },
      /the sources in `from` say it already/,
    ],
  ];
  test.each(refused)('custom() with %s throws a PolicyError', (_, change, message) => {
    expect(() => custom({ scheme: 's', authenticate: () => undefined, ...change } as never)).toThrow(message);
  });
});
