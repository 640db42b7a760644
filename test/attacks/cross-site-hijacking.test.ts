// H4: the whole origin is compared (scheme, host, port), on every handshake. Gitpod GHSA-f53g-frr2-jhpf, Jenkins
// CVE-2024-23898, code-server GHSA-frjg-g767-7363, Next.js CVE-2026-27977 (null), SysReptor GHSA-2vfc-3h43-vghh (a
// sibling subdomain), webpack-dev-server CVE-2025-30360 (addresses), Vite CVE-2026-39363.
import { describe, expect, test } from '@jest/globals';
import { bearer, unsafeAllowAnyOrigin } from '@sallyport/core';
import { hosts } from '../contract/hosts/index.ts';
import { applications, verdict } from '../support/applications.ts';
import { APP, chatGuard, chatJwt, type PolicyOverrides, token } from '../support/chat-policy.ts';

const foreign = [
  'https://evil.example',
  'https://app.example.com.evil.example',
  'https://evilapp.example.com',
  'https://other.example.com',
  'https://example.com',
  'http://app.example.com',
  'https://app.example.com:8443',
  'https://app.example.com:443',
  'https://APP.example.com',
  'HTTPS://app.example.com',
  'https://app.example.com/',
  'https://app.example.com/path',
  'https://app.example.com.',
  'https://app.example.com@evil.example',
  'https://user@app.example.com',
  'https:app.example.com',
  'https://app.example.com\\@evil.example',
  'https://app.example.com%2eevil.example',
  'https://app.example.com,https://evil.example',
  'https://app.example.com https://evil.example',
  'https://192.0.2.1',
  'http://127.0.0.1',
  'http://[::1]',
  'null',
  'NULL',
  'undefined',
  'file://',
  'app.example.com',
  '*',
  '',
];

describe.each(hosts)('$name', (host) => {
  const { start, open, refused } = applications();
  /** What a browser sends for a page of this origin: the visitor's cookie is always attached. */
  const from = async (origin: string) => ({ headers: { Cookie: `token=${await token()}`, Origin: origin } });

  test('a listed origin with a cookie is admitted', async () => {
    await open(await start(host, { guard: chatGuard() }), await from(APP));
  });

  test.each(foreign)('origin %j with a cookie is refused with 403', async (origin) => {
    const app = await start(host, { guard: chatGuard() });
    expect(verdict(await refused(app, await from(origin)))).toBe('403 origin_denied');
    expect(app.handled).toEqual([]);
  });

  test.each(foreign.filter((origin) => origin !== 'null'))(
    'origin %j with a bearer token of its own is refused with 403',
    async (origin) => {
      const app = await start(host, { guard: chatGuard() });
      const headers = { Authorization: `Bearer ${await token()}`, Origin: origin };
      expect(verdict(await refused(app, { headers }))).toBe('403 origin_denied');
    },
  );

  test('https://*.example.com admits one label in the place of the star, and no other scheme, port or domain', async () => {
    const app = await start(host, { guard: chatGuard({ origins: ['https://*.example.com'] }) });
    await open(app, await from('https://tenant.example.com'));
    for (const origin of [
      'https://example.com',
      'https://a.b.example.com',
      'https://evilexample.com',
      'https://.example.com',
      'http://tenant.example.com',
      'https://tenant.example.com:8443',
      'https://tenant.example.com.evil.example',
      'https://evil.example/.example.com',
    ])
      expect([origin, verdict(await refused(app, await from(origin)))]).toEqual([
        origin,
        '403 origin_denied',
      ]);
  });

  test('without policy.origins, the origin of the Host header is admitted and every other one gets 403', async () => {
    const app = await start(host, { guard: chatGuard({ origins: undefined as never }) });
    const sameAs = async (hostHeader: string, origin: string) => {
      const { headers } = await from(origin);
      return { headers: { ...headers, Host: hostHeader } };
    };
    await open(app, await sameAs('localhost', 'http://localhost'));
    for (const origin of [
      'https://localhost',
      'http://localhost:3000',
      'http://127.0.0.1',
      'http://localhost.',
    ])
      expect(verdict(await refused(app, await sameAs('localhost', origin)))).toBe('403 origin_denied');
  });

  test('an origins function is asked only about canonical origins, and admits only with true', async () => {
    const asked: string[] = [];
    const answers: PolicyOverrides['origins'] = (origin) => {
      asked.push(origin);
      return (origin === APP || ('yes' as unknown)) as boolean;
    };
    const app = await start(host, { guard: chatGuard({ origins: answers }) });
    await open(app, await from(APP));
    expect(verdict(await refused(app, await from('https://evil.example')))).toBe('403 origin_denied');
    expect(verdict(await refused(app, await from('https://user@app.example.com')))).toBe('403 origin_denied');
    expect(asked).toEqual([APP, 'https://evil.example']);
  });
});

test('unsafeAllowAnyOrigin with a cookie credential throws at construction (Phoenix, Hasura)', () => {
  expect(() => chatGuard({ origins: unsafeAllowAnyOrigin })).toThrow(/cookie token/);
  expect(() => chatGuard({ origins: unsafeAllowAnyOrigin, auth: [chatJwt([bearer()])] })).not.toThrow();
});
