import { describe, expect, test } from '@jest/globals';
import { type Authenticator, anonymous, bearer, custom } from '@sallyport/core';
import { decide, outcomeOf } from '../support/decide.ts';
import { collect, guardOf } from '../support/guards.ts';
import { bareThenable } from '../support/thenable.ts';
import { upgradeRequest } from '../support/upgrade-request.ts';

const Origin = 'http://localhost:3000';
const plain = upgradeRequest({ headers: { Origin } });
const withToken = upgradeRequest({ headers: { Origin, Authorization: 'Bearer x' } });
const session = (subject: unknown) => custom({ scheme: 'session', authenticate: () => subject as never });

describe('without a credential', () => {
  test('without a credential, authenticators without sources are asked in order until one returns an identity', async () => {
    const asked: number[] = [];
    const at = (place: number, subject?: string) =>
      custom({
        scheme: `s${place}`,
        authenticate: async () => {
          asked.push(place);
          return subject === undefined ? undefined : { subject };
        },
      });
    const guard = guardOf({ auth: [at(1), at(2, 'alice'), at(3, 'bob')] });
    expect(await decide(guard, plain)).toMatchObject({ identity: { subject: 'alice', scheme: 's2' } });
    expect(asked).toEqual([1, 2]);
  });

  test('without a credential, a denial by one authenticator stops: anonymous() behind it is not asked', async () => {
    const failing = custom({ scheme: 'session', authenticate: () => Promise.reject(new Error('down')) });
    expect(await outcomeOf(guardOf({ auth: [failing, anonymous()] }), plain)).toBe('auth_unavailable');
  });

  test('without a credential, no identity from any authenticator denies with credential_missing', async () => {
    expect(await outcomeOf(guardOf({ auth: [session(undefined)] }), plain)).toBe('credential_missing');
    expect(await outcomeOf(guardOf({ auth: [session(Promise.resolve(null))] }), plain)).toBe(
      'credential_missing',
    );
  });

  test('without a credential, anonymous() at the end of the list admits', async () => {
    const guard = guardOf({ auth: [session(undefined), anonymous()] });
    expect(await decide(guard, plain)).toMatchObject({ identity: { scheme: 'anonymous' } });
  });
});

test('a wrong credential denies with credential_invalid, and no other authenticator is asked', async () => {
  const token = custom({ scheme: 'token', from: [bearer()], authenticate: () => undefined });
  expect(await outcomeOf(guardOf({ auth: [token, anonymous()] }), withToken)).toBe('credential_invalid');
  expect(await outcomeOf(guardOf({ auth: [token, session({ subject: 'alice' })] }), withToken)).toBe(
    'credential_invalid',
  );
});

test('an authenticator that throws or rejects denies with internal and reports a fault', async () => {
  for (const authenticate of [
    () => {
      throw new Error('boom');
    },
    () => Promise.reject(new Error('boom')),
  ]) {
    const own: Authenticator = {
      scheme: 'own',
      from: [bearer()],
      ambient: false,
      asksOutside: true,
      authenticate,
    };
    const guard = guardOf({ auth: [own] });
    const faults = collect(guard, 'fault');
    expect(await outcomeOf(guard, withToken)).toBe('internal');
    expect(faults).toEqual([expect.objectContaining({ stage: 'authentication', error: new Error('boom') })]);
  }
});

describe('authorize', () => {
  const answers: [unknown, string][] = [
    [true, 'admitted'],
    [Promise.resolve(true), 'admitted'],
    [bareThenable(true), 'admitted'],
    [false, 'not_authorized'],
    [undefined, 'not_authorized'],
    ['yes', 'not_authorized'],
    [1, 'not_authorized'],
    [{}, 'not_authorized'],
    [Promise.resolve('yes'), 'not_authorized'],
    [Promise.resolve(undefined), 'not_authorized'],
    [bareThenable(false), 'not_authorized'],
  ];
  test.each(answers)(
    'policy.authorize admits only if it returns true, answer %#',
    async (answer, expected) => {
      expect(await outcomeOf(guardOf({ authorize: () => answer }), plain)).toBe(expected);
    },
  );

  test('policy.authorize that throws or rejects denies', async () => {
    const failing = () => {
      throw new Error('boom');
    };
    expect(await outcomeOf(guardOf({ authorize: failing }), plain)).toBe('internal');
    expect(await outcomeOf(guardOf({ authorize: async () => failing() }), plain)).toBe('internal');
  });

  test("policy.authorize sees the identity, the scrubbed request and the host's own request", async () => {
    let seen: unknown;
    const guard = guardOf({
      auth: [custom({ scheme: 'token', from: [bearer()], authenticate: () => ({ subject: 'alice' }) })],
      authorize: (context: unknown) => {
        seen = context;
        return true;
      },
    });
    const native = { user: 'alice' };
    await decide(guard, withToken, native);
    expect(seen).toMatchObject({
      identity: { subject: 'alice' },
      request: { path: '/chat', origin: Origin, native },
    });
  });
});
