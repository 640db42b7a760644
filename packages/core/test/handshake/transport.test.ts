import { describe, expect, test } from '@jest/globals';
import { unsafeAllowPlaintext } from '@sallyport/core';
import { decide, outcomeOf } from '../support/decide.ts';
import { guardOf } from '../support/guards.ts';
import { type RequestOverrides, upgradeRequest } from '../support/upgrade-request.ts';

const LOCAL = 'http://localhost:3000';
const judge = (options: object, { headers, ...rest }: RequestOverrides) => {
  const guard = guardOf({ origins: [LOCAL], ...options });
  return outcomeOf(guard, upgradeRequest({ ...rest, headers: { Origin: LOCAL, ...headers } }));
};
const FAR = { address: '203.0.113.7' };

describe('plaintext', () => {
  test('plaintext from a loopback peer with a loopback Host and no proxy is admitted', async () => {
    for (const [address, host] of [
      ['127.0.0.1', 'localhost:3000'],
      ['::1', '[::1]:3000'],
      ['::ffff:127.0.0.1', '127.0.0.1'],
    ] as const) {
      expect(await judge({}, { peer: { address }, headers: { Host: host } })).toBe('admitted');
    }
  });

  const refused: [string, RequestOverrides][] = [
    ['from another machine', { peer: FAR }],
    ['from another machine that calls itself localhost', { peer: FAR, headers: { Host: 'localhost' } }],
    [
      'from loopback for a public name, as a proxy on this machine sends it',
      { headers: { Host: 'chat.example.com' } },
    ],
    ['from a Unix socket', { peer: { address: undefined, unix: true } }],
    ['from loopback with X-Forwarded-For', { headers: { 'X-Forwarded-For': '127.0.0.1' } }],
    [
      'from loopback with X-Forwarded-Proto, from a proxy that is not listed',
      { headers: { 'X-Forwarded-Proto': 'https' } },
    ],
    ['from loopback with X-Forwarded-Host', { headers: { 'X-Forwarded-Host': 'localhost' } }],
    ['from loopback with Forwarded', { headers: { Forwarded: 'for=127.0.0.1;proto=https' } }],
    ['from loopback with Via', { headers: { Via: '1.1 proxy' } }],
    ['from loopback with X-Real-IP', { headers: { 'X-Real-IP': '203.0.113.7' } }],
    ['from loopback with CF-Connecting-IP', { headers: { 'CF-Connecting-IP': '203.0.113.7' } }],
  ];
  test.each(refused)('plaintext is denied with tls_required: %s', async (_, overrides) => {
    expect(await judge({}, overrides)).toBe('tls_required');
  });

  test('the denial of plaintext behind an unlisted proxy tells which option to set', async () => {
    const guard = guardOf({ origins: [LOCAL] });
    const denial = await decide(guard, upgradeRequest({ headers: { 'X-Forwarded-For': '203.0.113.7' } }));
    expect(denial).toMatchObject({
      stage: 'transport',
      detail: expect.stringContaining('policy.trustedProxies'),
    });
  });

  test('plaintext is admitted with unsafeAllowPlaintext', async () => {
    expect(await judge({ transport: unsafeAllowPlaintext }, { peer: FAR })).toBe('admitted');
  });
});

test('a TLS connection to this server is admitted from any address', async () => {
  expect(await judge({}, { peer: { ...FAR, encrypted: true }, headers: { Via: '1.1 proxy' } })).toBe(
    'admitted',
  );
});

describe('behind a listed proxy', () => {
  const proxied = (proto: string | null, extra: object = {}) =>
    judge(
      { trustedProxies: ['127.0.0.1'], ...extra },
      { headers: { 'X-Forwarded-For': '203.0.113.7', 'X-Forwarded-Proto': proto, Host: 'chat.example.com' } },
    );

  test("a listed proxy that says 'https' makes the client count as encrypted", async () => {
    expect(await proxied('https')).toBe('admitted');
    expect(await proxied('http')).toBe('tls_required');
    expect(await proxied(null)).toBe('tls_required');
  });

  test('TLS between a listed proxy and this server does not make the client count as encrypted', async () => {
    const request: RequestOverrides = {
      peer: { encrypted: true },
      headers: { 'X-Forwarded-For': '203.0.113.7', 'X-Forwarded-Proto': 'http' },
    };
    expect(await judge({ trustedProxies: ['127.0.0.1'] }, request)).toBe('tls_required');
  });

  test('plaintext from a client that a listed proxy calls loopback is denied', async () => {
    const request = { headers: { 'X-Forwarded-For': '127.0.0.1', 'X-Forwarded-Proto': 'http' } };
    expect(await judge({ trustedProxies: ['127.0.0.1'] }, request)).toBe('tls_required');
  });

  test('a forwarded address that cannot be parsed is denied with request_malformed', async () => {
    const request = { headers: { 'X-Forwarded-For': 'unknown', 'X-Forwarded-Proto': 'https' } };
    expect(await judge({ trustedProxies: ['127.0.0.1'] }, request)).toBe('request_malformed');
  });
});
