// H1: handshakes without TLS are refused and never redirected. Loopback is exempt, for development, unless a proxy is seen: a
// reverse proxy on the same machine makes every client look local (Vitest CVE-2025-24964, Claude Code IDE CVE-2025-52882).
import { beforeAll, describe, expect, test } from '@jest/globals';
import { unsafeAllowPlaintext } from '@sallyport/core';
import { generate } from 'selfsigned';
import { hosts } from '../contract/hosts/index.ts';
import { applications, verdict } from '../support/applications.ts';
import { chatGuard, goodHeaders } from '../support/chat-policy.ts';

const names = ['localhost', 'chat.example.com'];
let tls: { key: string; cert: string };
beforeAll(async () => {
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'chat.example.com' }]);
  tls = { key, cert };
});

describe.each(hosts)('$name', (host) => {
  const { start, open, refused } = applications();
  const headers = async (more: Record<string, string>) => ({
    headers: { ...(await goodHeaders()), ...more },
  });

  test('a handshake without TLS gets 403 for a public Host, without a redirect, and is admitted for localhost', async () => {
    const app = await start(host, { guard: chatGuard({ hosts: names }) });
    const answer = await refused(app, await headers({ Host: 'chat.example.com' }));
    expect(verdict(answer)).toBe('403 tls_required');
    expect(answer.headers).not.toHaveProperty('location');
    await open(app, await headers({}));
  });

  test('a handshake over TLS is admitted for a public Host, and a foreign Host gets 403', async () => {
    const app = await start(host, { guard: chatGuard({ hosts: names }), tls });
    await open(app, await headers({ Host: 'chat.example.com' }), { tls: true });
    const other = await headers({ Host: 'evil.example' });
    expect(verdict(await refused(app, other, { tls: true }))).toBe('403 host_denied');
  });

  test.each(['X-Forwarded-For', 'X-Forwarded-Proto', 'X-Forwarded-Host', 'Forwarded', 'Via'])(
    'a handshake on loopback with the header %s gets 403, and the event names policy.trustedProxies',
    async (name) => {
      const guard = chatGuard({ hosts: names });
      const told: string[] = [];
      guard.on('handshake.denied', ({ detail }) => told.push(detail));
      const app = await start(host, { guard });
      expect(verdict(await refused(app, await headers({ [name]: 'https' })))).toBe('403 tls_required');
      expect(told).toEqual([expect.stringContaining('policy.trustedProxies')]);
    },
  );

  test('X-Forwarded-Proto: https counts from a listed proxy, and not from an unlisted one', async () => {
    const forwarded = { 'X-Forwarded-For': '203.0.113.7', Host: 'chat.example.com' };
    const secure = await headers({ ...forwarded, 'X-Forwarded-Proto': 'https' });
    const listed = await start(host, { guard: chatGuard({ hosts: names, trustedProxies: ['127.0.0.1'] }) });
    await open(listed, secure);
    const clear = await headers({ ...forwarded, 'X-Forwarded-Proto': 'http' });
    expect(verdict(await refused(listed, clear))).toBe('403 tls_required');
    expect(verdict(await refused(listed, await headers(forwarded)))).toBe('403 tls_required');

    const unlisted = await start(host, {
      guard: chatGuard({ hosts: names, trustedProxies: ['10.0.0.0/8'] }),
    });
    expect(verdict(await refused(unlisted, secure))).toBe('403 tls_required');
  });

  test('unsafeAllowPlaintext admits a public Host without TLS, and a foreign Host still gets 403', async () => {
    const guard = chatGuard({ hosts: names, transport: unsafeAllowPlaintext });
    const app = await start(host, { guard });
    await open(app, await headers({ Host: 'chat.example.com' }));
    expect(verdict(await refused(app, await headers({ Host: 'evil.example' })))).toBe('403 host_denied');
  });
});
