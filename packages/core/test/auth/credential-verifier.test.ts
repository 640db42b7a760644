import { describe, expect, test } from '@jest/globals';
import { Attempts } from '../../src/auth/attempts.ts';
import type { Authenticator } from '../../src/auth/authenticator.ts';
import { CredentialVerifier, type VerificationRequest } from '../../src/auth/credential-verifier.ts';
import { RevocationList } from '../../src/auth/revocations.ts';
import { Timers } from '../../src/vocabulary/clock.ts';
import { Denial, deny, type MaybePromise } from '../../src/vocabulary/decision.ts';
import type { Identity, RequestView } from '../../src/vocabulary/ports.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { SharedStore } from '../support/shared-store.ts';
import { accessTo } from '../support/store-access.ts';

const DAY = 86_400;
const alice: Identity = { scheme: 'key', subject: 'alice', claims: {} };

function bench(answer: () => MaybePromise<Identity | Denial | undefined>, slow = false) {
  const clock = new ManualClock();
  // A shared store answers with promises.
  const shared = slow ? new SharedStore(clock) : undefined;
  const { access: store } = accessTo(shared, clock);
  const revocations = new RevocationList(clock, 30 * DAY * 1_000, 10);
  const attempts = new Attempts(store, { interval: 60_000, burst: 3 });
  const failed: string[] = [];
  const verifier = new CredentialVerifier(
    clock,
    store,
    attempts,
    revocations,
    30_000,
    ({ bucket }) => failed.push(bucket),
    new Timers(clock),
  );
  let verifications = 0;
  const authenticator = {
    scheme: 'key',
    from: [],
    ambient: false,
    asksOutside: true,
    authenticate: () => {
      verifications++;
      return answer();
    },
  } satisfies Authenticator;
  const ask = async (
    credential: string | null = 'x',
    bucket = '203.0.113.7',
    more: Partial<VerificationRequest> = {},
  ): Promise<string> => {
    const presented: VerificationRequest = {
      credential: credential ?? undefined,
      request: {} as RequestView,
      source: { bucket, coarser: ['203.0.113.0/24'], bannable: true },
      signal: new AbortController().signal,
      ...more,
    };
    const verdict = await verifier.verify(authenticator, presented);
    return verdict instanceof Denial ? verdict.reason : (verdict?.subject ?? 'nothing');
  };
  return { clock, store, shared, verifier, failed, revocations, ask, verifications: () => verifications };
}

describe.each([
  ['a store that answers at once', false],
  ['a store that answers later', true],
])('with %s', (_what, slow) => {
  test.each<[string, () => MaybePromise<Identity | Denial | undefined>]>([
    ['a denial', () => deny('credential_invalid', 'guessed')],
    ['a denial that comes later', async () => deny('credential_invalid', 'guessed')],
    ['nothing', () => undefined],
  ])(
    'with the budget spent by failures, nothing is verified any more: the authenticator answers %s',
    async (_what, answer) => {
      const { ask, verifications, clock, failed } = bench(answer, slow);
      const first = await Promise.all([await ask(), await ask(), await ask()]);
      expect(first).not.toContain('auth_attempts');
      for (let i = 0; i < 5; i++) expect(await ask()).toBe('auth_attempts');
      expect(verifications()).toBe(3);
      // Each failure is reported once; a denial without verification is no failure.
      expect(failed).toEqual(Array(3).fill('203.0.113.7'));
      expect(await ask('x', '203.0.113.8')).not.toBe('auth_attempts');
      clock.advance(60_000);
      expect(await ask()).not.toBe('auth_attempts');
      expect(await ask()).toBe('auth_attempts');
      expect(verifications()).toBe(5);
    },
  );

  test.each<[string, () => Identity | Denial]>([
    ['success', () => alice],
    ["the authenticator's own outage", () => deny('auth_unavailable', 'down')],
    ['an expired credential, which nobody guesses', () => deny('credential_expired', 'late')],
  ])('an answer that is no failure spends nothing of the budget: %s', async (_what, answer) => {
    const { ask, verifications, failed } = bench(answer, slow);
    for (let i = 0; i < 20; i++) expect(await ask()).not.toBe('auth_attempts');
    expect(verifications()).toBe(20);
    expect(failed).toEqual([]);
  });
});

describe('guesses that come at once', () => {
  test('simultaneous guesses are verified as often as guesses one after another', async () => {
    const { ask, verifications } = bench(async () => deny('credential_invalid', 'guessed'));
    const answers = await Promise.all(Array.from({ length: 50 }, () => ask()));
    expect(answers.filter((answer) => answer === 'auth_attempts')).toHaveLength(47);
    expect(verifications()).toBe(3);
  });

  test('simultaneous valid credentials take turns and all pass', async () => {
    const { ask, verifications, clock } = bench(async () => alice);
    expect(new Set(await Promise.all(Array.from({ length: 50 }, () => ask())))).toEqual(new Set(['alice']));
    expect([verifications(), clock.pending]).toEqual([50, 0]);
  });

  test('verifications that never end block their address for ten seconds and no longer', async () => {
    const { ask, verifications, clock } = bench(() => new Promise(() => {}));
    for (let i = 0; i < 5; i++) void ask();
    await new Promise((resolve) => setImmediate(resolve));
    expect(verifications()).toBe(3);
    clock.advance(10_000);
    await new Promise((resolve) => setImmediate(resolve));
    expect(verifications()).toBe(5);
  });

  test.each<[string, () => MaybePromise<never>]>([
    [
      'throws',
      () => {
        throw new Error('a bug');
      },
    ],
    ['rejects', () => Promise.reject(new Error('a bug'))],
  ])('an authenticator that %s blocks no later attempt and leaves no timer', async (_what, answer) => {
    const { ask, verifications, clock } = bench(answer);
    for (let i = 0; i < 10; i++) await expect(ask()).rejects.toThrow('a bug');
    expect([verifications(), clock.pending]).toEqual([10, 0]);
  });
});

test('a handshake without a credential spends nothing of the budget', async () => {
  const { ask } = bench(() => undefined);
  for (let i = 0; i < 20; i++) expect(await ask(null)).toBe('nothing');
});

test('a revocation that comes while the authenticator works is found afterwards', async () => {
  let finish = (): void => {};
  const { ask, revocations } = bench(
    () =>
      new Promise((resolve) => {
        finish = () => resolve(alice);
      }),
  );
  const asked = ask();
  await Promise.resolve();
  revocations.add({ subject: 'alice', issuedBefore: 0 });
  finish();
  expect(await asked).toBe('revoked');
});

test('a revoked identity spends nothing of the budget', async () => {
  const { ask, revocations } = bench(() => alice);
  revocations.add({ subject: 'alice', issuedBefore: 0 });
  for (let i = 0; i < 10; i++) expect(await ask()).toBe('revoked');
});

describe('a credential that would outlive the memory of its revocation', () => {
  const now = new ManualClock().now() / 1_000;
  test.each<[string, Partial<Identity>, string]>([
    ['ends just in time', { issuedAt: now, expiresAt: now + 30 * DAY }, 'alice'],
    ['ends a second later', { issuedAt: now, expiresAt: now + 30 * DAY + 1 }, 'credential_invalid'],
    // Revoked on its second day, it would be valid again on its 32nd.
    [
      'ends soon, but began long ago',
      { issuedAt: now - 40 * DAY, expiresAt: now + 10 * DAY },
      'credential_invalid',
    ],
    ['has no issue date, and ends in time', { expiresAt: now + 30 * DAY }, 'alice'],
    ['has no issue date, and ends later', { expiresAt: now + 31 * DAY }, 'credential_invalid'],
    [
      'says that it is issued in the future',
      { issuedAt: now + 60 * DAY, expiresAt: now + 61 * DAY },
      'credential_invalid',
    ],
    ['never ends: its source answers for it', {}, 'alice'],
  ])(
    'with a retention of 30 days, a credential that %s is accepted or denied',
    async (_what, times, expected) => {
      expect(await bench(() => ({ ...alice, ...times })).ask()).toBe(expected);
    },
  );
});
