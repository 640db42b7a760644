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
  test('those without sources are asked in turn, until one knows', async () => {
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

  test('a denial of one is final: nobody weaker is asked', async () => {
    const failing = custom({ scheme: 'session', authenticate: () => Promise.reject(new Error('down')) });
    expect(await outcomeOf(guardOf({ auth: [failing, anonymous()] }), plain)).toBe('auth_unavailable');
  });

  test('nobody knows: credential_missing', async () => {
    expect(await outcomeOf(guardOf({ auth: [session(undefined)] }), plain)).toBe('credential_missing');
    expect(await outcomeOf(guardOf({ auth: [session(Promise.resolve(null))] }), plain)).toBe(
      'credential_missing',
    );
  });

  test('anonymous() lets in, last', async () => {
    const guard = guardOf({ auth: [session(undefined), anonymous()] });
    expect(await decide(guard, plain)).toMatchObject({ identity: { scheme: 'anonymous' } });
  });
});

test('with a credential only its own authenticator is asked, and a wrong one is not anonymous', async () => {
  const token = custom({ scheme: 'token', from: [bearer()], authenticate: () => undefined });
  expect(await outcomeOf(guardOf({ auth: [token, anonymous()] }), withToken)).toBe('credential_invalid');
  expect(await outcomeOf(guardOf({ auth: [token, session({ subject: 'alice' })] }), withToken)).toBe(
    'credential_invalid',
  );
});

test('an authenticator of somebody else that throws is a fault, and a fault denies', async () => {
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
  test.each(answers)('only true allows, %#', async (answer, expected) => {
    expect(await outcomeOf(guardOf({ authorize: () => answer }), plain)).toBe(expected);
  });

  test('a throw or a rejection denies', async () => {
    const failing = () => {
      throw new Error('boom');
    };
    expect(await outcomeOf(guardOf({ authorize: failing }), plain)).toBe('internal');
    expect(await outcomeOf(guardOf({ authorize: async () => failing() }), plain)).toBe('internal');
  });

  test("sees identity, scrubbed request and the host's own request", async () => {
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
