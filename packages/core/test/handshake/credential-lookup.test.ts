import { describe, expect, test } from '@jest/globals';
import { bearer, type CredentialSource, cookie, custom, query, subprotocol } from '@sallyport/core';
import { decide } from '../support/decide.ts';
import { guardOf } from '../support/guards.ts';
import { type HeaderValue, upgradeRequest } from '../support/upgrade-request.ts';

const ORIGIN = 'http://localhost:3000';

/** A guard that tells which authenticator saw which credential, and takes `good`. */
function watching(...sources: CredentialSource[]) {
  const seen: string[] = [];
  const guard = guardOf({
    auth: sources.map((source) => {
      const scheme = source.kind;
      const authenticate = ({ credential }: { credential: string | undefined }) => {
        seen.push(`${scheme} ${credential}`);
        return credential === 'good' ? { subject: scheme } : undefined;
      };
      return custom({ scheme, from: [source], authenticate });
    }),
  });
  return async (headers: Record<string, HeaderValue>, target = '/chat') => {
    seen.length = 0;
    const decision = await decide(guard, upgradeRequest({ target, headers: { Origin: ORIGIN, ...headers } }));
    if (!decision.denied) decision.release();
    return { outcome: decision.denied ? decision.reason : decision.identity?.scheme, seen: [...seen] };
  };
}

describe('each place', () => {
  test.each([
    ['Bearer good', 'bearer good'],
    ['bearer good', 'bearer good'],
    ['BEARER   good', 'bearer good'],
  ])('Authorization: %s is found as a bearer token', async (value, seen) => {
    expect(await watching(bearer())({ Authorization: value })).toEqual({ outcome: 'bearer', seen: [seen] });
  });

  test.each(['Bearer', 'Bearer ', 'Bearer bad', 'Bearer good extra'])(
    'Authorization: %j is denied with credential_invalid',
    async (value) => {
      expect(await watching(bearer())({ Authorization: value })).toMatchObject({
        outcome: 'credential_invalid',
      });
    },
  );

  test.each(['Basic Z29vZA==', 'good', 'Bearergood', 'Negotiate good', ''])(
    'Authorization: %j holds no bearer token, so the credential is missing',
    async (value) => {
      expect(await watching(bearer())({ Authorization: value })).toEqual({
        outcome: 'credential_missing',
        seen: [],
      });
    },
  );

  test.each([
    ['session=good', 'good'],
    ['a=1; session=good; b=2', 'good'],
    ['session="good"', 'good'],
    ['session=%67ood', 'good'],
    ['a=1;session = good ', 'good'],
    ['\tsession\t=\tgood\t', 'good'],
    ['xsession=1; sessions=2; session=good', 'good'],
    ['a=session; session=good', 'good'],
    ['session; session=good', 'good'],
  ])('Cookie: %s is found as the session cookie', async (value, credential) => {
    expect(await watching(cookie('session'))({ Cookie: value })).toEqual({
      outcome: 'cookie',
      seen: [`cookie ${credential}`],
    });
  });

  test.each([
    'Session=good',
    'xsession=good',
    'sessionx=good',
    'session',
    'a=session=good',
    '\u00a0session=good',
    'session\u00a0=good',
    '\u000bsession=good',
    'session\u000c=good',
    '\u0085session=good',
    'ses\u00ad\u00adsion=good',
    'x session=good',
    'session x=good',
  ])("Cookie: %s holds no cookie named 'session', so the credential is missing", async (value) => {
    expect(await watching(cookie('session'))({ Cookie: value })).toMatchObject({
      outcome: 'credential_missing',
    });
  });

  test('a cookie value with an invalid percent escape reaches the authenticator unchanged', async () => {
    expect(await watching(cookie('session'))({ Cookie: 'session=%E0%A4%A' })).toEqual({
      outcome: 'credential_invalid',
      seen: ['cookie %E0%A4%A'],
    });
  });

  test('the token of a subprotocol credential is the offer behind the marker', async () => {
    const judge = watching(subprotocol());
    expect(await judge({ 'Sec-WebSocket-Protocol': 'bearer, good' })).toMatchObject({
      outcome: 'subprotocol',
    });
    expect(await judge({ 'Sec-WebSocket-Protocol': 'bearer' })).toMatchObject({
      outcome: 'credential_invalid',
    });
    // A marker without a token is an empty credential, not a missing one.
    expect(await judge({ 'Sec-WebSocket-Protocol': 'good, bearer' })).toEqual({
      outcome: 'credential_invalid',
      seen: ['subprotocol '],
    });
  });

  test('a query parameter is found as a credential, and an empty one is wrong', async () => {
    const judge = watching(query('token'));
    expect(await judge({}, '/chat?token=good')).toMatchObject({ outcome: 'query' });
    expect(await judge({}, '/chat?token=')).toMatchObject({ outcome: 'credential_invalid' });
    expect(await judge({}, '/chat')).toMatchObject({ outcome: 'credential_missing' });
  });
});

describe('which one', () => {
  const judge = watching(cookie('session'), bearer(), query('token'), subprotocol());

  test('an explicit credential is taken before an ambient one, in any order of the authenticators', async () => {
    expect(await judge({ Cookie: 'session=good', Authorization: 'Bearer good' })).toEqual({
      outcome: 'bearer',
      seen: ['bearer good'],
    });
  });

  test('a wrong explicit credential is denied although the ambient one is right', async () => {
    for (const [headers, target] of [
      [{ Authorization: 'Bearer bad' }, '/chat'],
      [{ Authorization: 'Bearer' }, '/chat'],
      [{ 'Sec-WebSocket-Protocol': 'bearer, bad' }, '/chat'],
      [{}, '/chat?token=bad'],
    ] as const) {
      const { outcome, seen } = await judge({ Cookie: 'session=good', ...headers }, target);
      expect(outcome).toBe('credential_invalid');
      expect(seen).not.toContain('cookie good');
    }
  });

  test.each([
    [{ Authorization: 'Bearer good' }, '/chat?token=good'],
    [{ Authorization: 'Bearer good', 'Sec-WebSocket-Protocol': 'bearer, good' }, '/chat'],
    [{ 'Sec-WebSocket-Protocol': 'bearer, good' }, '/chat?token=good'],
    [{ Cookie: 'session=good; session=bad' }, '/chat'],
    [{ Cookie: 'session=good; session=good' }, '/chat'],
    [{}, '/chat?token=good&token=good'],
    [{}, '/chat?token=good&%74oken=bad'],
  ])(
    'two explicit credentials are denied with credential_ambiguous before any authenticator is asked: %j %s',
    async (headers, target) => {
      expect(await judge(headers as Record<string, string>, target)).toEqual({
        outcome: 'credential_ambiguous',
        seen: [],
      });
    },
  );

  test('bearer({ ambient: true }) gives way to an explicit credential', async () => {
    const behindProxy = watching(bearer({ ambient: true }), query('token'));
    expect(await behindProxy({ Authorization: 'Bearer good' }, '/chat?token=good')).toMatchObject({
      outcome: 'query',
    });
  });
});

describe('the origin is judged by what kind it is', () => {
  const judge = watching(cookie('session'), bearer());

  test.each([null, 'null'])(
    'Origin %s passes with an explicit credential and is denied with a cookie',
    async (origin) => {
      expect(await judge({ Origin: origin, Authorization: 'Bearer good' })).toMatchObject({
        outcome: 'bearer',
      });
      expect(await judge({ Origin: origin, Cookie: 'session=good' })).toEqual({
        outcome: 'origin_denied',
        seen: [],
      });
    },
  );

  test('a foreign origin is denied with a bearer token as with a cookie', async () => {
    const Origin = 'https://evil.example';
    expect(await judge({ Origin, Authorization: 'Bearer good' })).toMatchObject({ outcome: 'origin_denied' });
    expect(await judge({ Origin, Cookie: 'session=good' })).toMatchObject({ outcome: 'origin_denied' });
  });

  test('bearer({ ambient: true }) without an Origin is denied like a cookie', async () => {
    const behindProxy = watching(bearer({ ambient: true }));
    expect(await behindProxy({ Origin: null, Authorization: 'Bearer good' })).toMatchObject({
      outcome: 'origin_denied',
    });
    expect(await behindProxy({ Authorization: 'Bearer good' })).toMatchObject({ outcome: 'bearer' });
  });
});
