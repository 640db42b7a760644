import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { bearer, type Identity, jwt } from '@sallyport/core';
import { Issuer } from '../../../../test/support/issuer.ts';
import { Denial } from '../../src/vocabulary/decision.ts';
import { outcomeOf } from '../support/decide.ts';
import { guardOf } from '../support/guards.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { present } from '../support/present.ts';
import { upgradeRequest } from '../support/upgrade-request.ts';

const MINUTE = 60_000;
let clock: ManualClock;
let issuer: Issuer;

beforeEach(async () => {
  clock = new ManualClock();
  issuer = await Issuer.start();
});

afterEach(async () => {
  await issuer.stop();
});

function pass(ms: number): void {
  clock.advance(ms);
}

const authenticator = (options: object = {}) =>
  jwt({
    from: [bearer()],
    jwks: issuer.jwks,
    algorithms: ['ES256'],
    issuer: issuer.name,
    audience: 'chat',
    ...options,
  });
const token = (header: object = {}) =>
  issuer.token({ sub: 'alice', exp: Math.floor(clock.now() / 1_000) + 86_400 }, header);

async function judge(asked: ReturnType<typeof authenticator>, text: string): Promise<string | undefined> {
  const verdict = await present(asked, text, clock);
  return verdict instanceof Denial ? verdict.reason : (verdict as Identity).subject;
}

async function denial(asked: ReturnType<typeof authenticator>, text: string): Promise<Denial> {
  return (await present(asked, text, clock)) as Denial;
}

describe('rotation, without a restart', () => {
  test('a token under a new key passes once the cool-down allows a fetch, which happens once', async () => {
    const asked = authenticator();
    const before = await token();
    expect(await judge(asked, before)).toBe('alice');
    issuer.rotate({ keep: true });
    const after = await token();
    pass(10_000);
    expect(await denial(asked, after)).toMatchObject({ reason: 'auth_unavailable', retryAfter: 20_000 });
    pass(20_000);
    expect(await judge(asked, after)).toBe('alice');
    expect(await judge(asked, before)).toBe('alice');
    expect(issuer.fetches).toBe(2);
  });

  test('a token under a key that is no longer published is denied, even if it was verified before', async () => {
    const asked = authenticator();
    const before = await token();
    expect(await judge(asked, before)).toBe('alice');
    issuer.rotate();
    pass(10 * MINUTE);
    expect(await judge(asked, before)).toBe('credential_invalid');
    expect(await judge(asked, await token())).toBe('alice');
  });

  test('a token that is verified while the keys change is not remembered under the new keys', async () => {
    const asked = authenticator();
    const before = await token();
    expect(await judge(asked, before)).toBe('alice');
    asked.forget?.(() => true);
    issuer.rotate();
    pass(31_000);
    const after = await token();
    // The first token is verified while the second causes a fetch.
    const answers = await Promise.all([judge(asked, before), judge(asked, after)]);
    expect(answers[1]).toBe('alice');
    expect(await judge(asked, before)).toBe('auth_unavailable');
    pass(30_000);
    expect(await judge(asked, before)).toBe('credential_invalid');
  });
});

describe('a token without a key id', () => {
  test('a token without a key id passes under the old and the new key while both are published', async () => {
    const asked = authenticator();
    const before = await token({ kid: undefined });
    issuer.rotate({ keep: true });
    const after = await token({ kid: undefined });
    expect([await judge(asked, before), await judge(asked, after)]).toEqual(['alice', 'alice']);
    const stranger = await Issuer.start();
    const forged = await stranger.token(
      { sub: 'alice', exp: Math.floor(clock.now() / 1_000) + 60 },
      { kid: undefined },
    );
    await stranger.stop();
    expect(await judge(asked, forged)).toBe('credential_invalid');
    // The first four that fit are tried, and no more.
    for (let i = 0; i < 3; i++) issuer.rotate({ keep: true });
    pass(10 * MINUTE);
    expect(await judge(asked, after)).toBe('alice');
    expect(await judge(asked, before)).toBe('credential_invalid');
  });
});

test('a token of a key that cannot be read is told to wait, also after a fetch', async () => {
  const asked = authenticator();
  const text = await token();
  issuer.publish([
    { kid: 'key-1', kty: 'EC' },
    { ...issuer.keys[0], kid: 'other' },
  ]);
  expect(await denial(asked, text)).toMatchObject({ reason: 'auth_unavailable', retryAfter: 30_000 });
  pass(30_000);
  issuer.publish();
  expect(await judge(asked, text)).toBe('alice');
});

test('a set without a usable key makes tokens wait, and withdraws the keys before it', async () => {
  const asked = authenticator();
  const text = await token();
  expect(await judge(asked, text)).toBe('alice');
  issuer.publish([]);
  pass(10 * MINUTE);
  expect(await denial(asked, text)).toMatchObject({ reason: 'auth_unavailable', retryAfter: 30_000 });
  issuer.publish();
  pass(30_000);
  expect(await judge(asked, text)).toBe('alice');
});

test.each([
  ['fails', /jwks\.json could not be fetched: it answered with status 503$/],
  ['lies', /it is no JSON$/],
] as const)('an issuer that %s: operators are told what it did', async (behaviour, detail) => {
  const asked = authenticator();
  issuer.behave(behaviour);
  const { detail: told, retryAfter } = await denial(asked, await token());
  expect(told).toMatch(detail);
  expect(retryAfter).toBe(5_000);
});

test('an answer of more than a mebibyte is no key set', async () => {
  const asked = authenticator();
  issuer.publish([...issuer.keys, 'x'.repeat(1_048_576)]);
  expect((await denial(asked, await token())).detail).toMatch(/it sent more than 1048576 bytes$/);
});

test('a flood of unknown key ids costs one fetch per cool-down, and valid tokens pass meanwhile', async () => {
  const asked = authenticator();
  const right = await token();
  expect(await judge(asked, right)).toBe('alice');
  for (let round = 1; round <= 3; round++) {
    pass(31_000);
    const flood = await Promise.all(
      Array.from({ length: 30 }, (_, i) => token({ kid: `made-up-${round}-${i}` })),
    );
    const answers = await Promise.all([...flood, right].map((text) => judge(asked, text)));
    expect(answers.at(-1)).toBe('alice');
    expect(new Set(answers.slice(0, -1))).toEqual(new Set(['credential_invalid']));
    expect(issuer.fetches).toBe(1 + round);
  }
});

describe('an issuer that', () => {
  test.each(['fails', 'lies'] as const)(
    'an issuer that %s denies with auth_unavailable and counts no failure',
    async (behaviour) => {
      const asked = authenticator();
      issuer.behave(behaviour);
      expect(await judge(asked, await token())).toBe('auth_unavailable');
      issuer.behave('answers');
      expect(await judge(asked, await token())).toBe('auth_unavailable');
      expect(issuer.fetches).toBe(1);
      pass(5_000);
      expect(await judge(asked, await token())).toBe('alice');
    },
  );

  test('an issuer that fails while its keys are fresh denies nothing', async () => {
    const asked = authenticator();
    expect(await judge(asked, await token())).toBe('alice');
    await issuer.stop();
    pass(9 * MINUTE);
    asked.forget?.(() => true);
    expect(await judge(asked, await token())).toBe('alice');
    issuer = await Issuer.start();
  });

  test('while the issuer stalls, tokens that need its keys wait for one fetch and others pass', async () => {
    const asked = authenticator();
    const right = await token();
    expect(await judge(asked, right)).toBe('alice');
    pass(31_000);
    issuer.behave('stalls');
    const [first, ...later] = await Promise.all(['a', 'b', 'c'].map((kid) => token({ kid })));
    const begins = judge(asked, `${first}`);
    while (issuer.fetches === 1) await new Promise((resolve) => setImmediate(resolve));
    const waiting = later.map((text) => judge(asked, text));
    expect(await judge(asked, right)).toBe('alice');
    issuer.behave('answers');
    // The issuer was asked after the first of them came, and before the others did.
    expect(await Promise.all([begins, ...waiting])).toEqual([
      'credential_invalid',
      'auth_unavailable',
      'auth_unavailable',
    ]);
    expect(issuer.fetches).toBe(2);
  });

  test('the cool-down after a stalled fetch begins when the fetch was given up', async () => {
    const asked = authenticator();
    issuer.behave('stalls');
    const text = await token();
    const first = judge(asked, text);
    while (issuer.fetches === 0) await new Promise((resolve) => setImmediate(resolve));
    // The timeout of the fetch.
    pass(5_000);
    issuer.behave('fails');
    expect(await first).toBe('auth_unavailable');
    expect(await judge(asked, text)).toBe('auth_unavailable');
    expect(issuer.fetches).toBe(1);
  });
});

describe('what an issuer says about its answers', () => {
  test('Cache-Control decides how long keys are used, up to an hour', async () => {
    issuer.headers = { 'cache-control': 'public, max-age=1800' };
    const asked = authenticator();
    const before = await token();
    expect(await judge(asked, before)).toBe('alice');
    issuer.rotate();
    pass(30 * MINUTE - 1);
    expect(await judge(asked, before)).toBe('alice');
    expect(issuer.fetches).toBe(1);
    issuer.headers = { 'cache-control': 'max-age=86400' };
    pass(1);
    expect(await judge(asked, before)).toBe('credential_invalid');
    const after = await token();
    expect(await judge(asked, after)).toBe('alice');
    pass(60 * MINUTE - 1);
    expect(await judge(asked, after)).toBe('alice');
    expect(issuer.fetches).toBe(2);
    pass(1);
    expect(await judge(asked, after)).toBe('alice');
    expect(issuer.fetches).toBe(3);
  });

  test('an issuer that forbids caching is asked once a minute, and its outage denies nothing for ten', async () => {
    issuer.headers = { 'cache-control': 'no-store' };
    const asked = authenticator();
    const text = await token();
    expect(await judge(asked, text)).toBe('alice');
    pass(MINUTE - 1);
    expect(await judge(asked, text)).toBe('alice');
    expect(issuer.fetches).toBe(1);
    pass(1);
    expect(await judge(asked, text)).toBe('alice');
    expect(issuer.fetches).toBe(2);
    issuer.behave('fails');
    pass(10 * MINUTE - 1);
    expect(await judge(asked, text)).toBe('alice');
    pass(1);
    expect(await judge(asked, text)).toBe('auth_unavailable');
  });

  test('keys that have not changed are not sent again, and verified tokens stay remembered', async () => {
    issuer.headers = { etag: '"a"' };
    const asked = authenticator();
    const text = await token();
    expect(await judge(asked, text)).toBe('alice');
    for (let i = 1; i <= 5; i++) {
      pass(10 * MINUTE);
      expect(await judge(asked, text)).toBe('alice');
      expect([issuer.fetches, issuer.unchanged]).toEqual([1 + i, i]);
    }
    // A cache that keeps the ETag of another set locks nobody out for longer than an hour.
    issuer.rotate();
    const after = await token();
    expect(await judge(asked, after)).toBe('auth_unavailable');
    pass(10 * MINUTE);
    expect(await judge(asked, after)).toBe('alice');
    expect(issuer.unchanged).toBe(5);
    issuer.headers = { etag: '"b"' };
    issuer.rotate({ keep: true });
    pass(10 * MINUTE);
    expect(await judge(asked, await token())).toBe('alice');
    expect(issuer.unchanged).toBe(5);
  });

  test('an answer that is no key set leaves the ETag of the last set', async () => {
    issuer.headers = { etag: '"a"' };
    const asked = authenticator({ staleIfError: '1h' });
    const text = await token();
    expect(await judge(asked, text)).toBe('alice');
    issuer.headers = { etag: '"broken"' };
    issuer.behave('lies');
    pass(10 * MINUTE);
    expect(await judge(asked, text)).toBe('alice');
    pass(5_000);
    expect(await judge(asked, text)).toBe('alice');
    expect([issuer.fetches, issuer.unchanged]).toEqual([3, 0]);
  });
});

describe('staleIfError', () => {
  test.each([
    [undefined, 10 * MINUTE, 'auth_unavailable'],
    ['5m', 10 * MINUTE, 'alice'],
    ['5m', 15 * MINUTE - 1, 'alice'],
    ['5m', 15 * MINUTE, 'auth_unavailable'],
  ] as const)(
    'staleIfError %s, %d ms after the last fetch: the outcome is %s',
    async (staleIfError, wait, expected) => {
      const asked = authenticator({ ...(staleIfError && { staleIfError }) });
      const text = await token();
      expect(await judge(asked, text)).toBe('alice');
      issuer.behave('fails');
      pass(wait);
      expect(await judge(asked, text)).toBe(expected);
      // Still within the cool-down after the failure.
      expect(await judge(asked, text)).toBe(expected);
      expect(issuer.fetches).toBe(2);
    },
  );

  test('an unknown key id while the issuer fails denies with auth_unavailable and not credential_invalid', async () => {
    const asked = authenticator({ staleIfError: '5m' });
    expect(await judge(asked, await token())).toBe('alice');
    issuer.rotate();
    issuer.behave('fails');
    pass(10 * MINUTE);
    expect(await judge(asked, await token())).toBe('auth_unavailable');
  });

  test('staleIfError without a URL of keys throws a PolicyError', () => {
    expect(() =>
      jwt({
        from: [bearer()],
        secret: 'a secret of thirty-two bytes, yes',
        algorithms: ['HS256'],
        issuer: 'me',
        audience: 'chat',
        staleIfError: '5m',
      }),
    ).toThrow(/the keys are not fetched/);
  });
});

test('with two issuers, each token is verified by its own jwt(), and the outage of one affects no token of the other', async () => {
  const partner = await Issuer.start('https://partner.example');
  try {
    const from = [bearer()];
    const guard = guardOf({
      clock,
      auth: [
        authenticator({ from, scheme: 'own' }),
        jwt({
          from,
          jwks: partner.jwks,
          algorithms: ['ES256'],
          issuer: partner.name,
          audience: 'chat',
          scheme: 'partner',
        }),
      ],
    });
    const seen: string[] = [];
    guard.on('handshake.admitted', ({ scheme }) => void seen.push(scheme));
    const outcome = (text: string) =>
      outcomeOf(guard, upgradeRequest({ headers: { Authorization: `Bearer ${text}` } }));
    const claims = { sub: 'alice', exp: clock.now() / 1_000 + 60 };
    expect(await outcome(await issuer.token(claims))).toBe('admitted');
    expect(await outcome(await partner.token(claims))).toBe('admitted');
    expect(seen).toEqual(['own', 'partner']);
    // Signed by one issuer in the name of the other, of none, of a third.
    for (const iss of [issuer.name, undefined, 'https://evil.example']) {
      expect(await outcome(await partner.token({ ...claims, iss } as never))).toBe('credential_invalid');
    }
    partner.behave('fails');
    pass(10 * MINUTE);
    const later = { sub: 'alice', exp: clock.now() / 1_000 + 60 };
    expect(await outcome(await partner.token(later))).toBe('auth_unavailable');
    expect(await outcome(await issuer.token(later))).toBe('admitted');
  } finally {
    await partner.stop();
  }
});
