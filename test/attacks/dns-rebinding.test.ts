// H6: Host has a list of its own. In DNS rebinding Origin and Host are both the attacker's name, and so the same origin:
// Playwright MCP CVE-2025-9611, Vite CVE-2025-24010, Vitest CVE-2025-24964, Claude Code IDE CVE-2025-52882.
import { describe, expect, test } from '@jest/globals';
import { anonymous, unsafeAllowPlaintext } from '@sallyport/core';
import { hosts } from '../contract/hosts/index.ts';
import { applications, verdict } from '../support/applications.ts';
import { chatGuard, type PolicyOverrides } from '../support/chat-policy.ts';

/** A development server as it is without any option: on loopback, open to everybody who is there. */
const local: PolicyOverrides = {
  origins: undefined as never,
  hosts: undefined as never,
  auth: [anonymous()],
  transport: unsafeAllowPlaintext,
};

describe.each(hosts)('$name', (host) => {
  const { start, open, refused } = applications();

  test.each(['localhost', 'localhost:3000', '127.0.0.1:3000', '[::1]:3000', 'LOCALHOST'])(
    'a page of %s connects to its own server',
    async (name) => {
      const origin = `http://${name.toLowerCase()}`;
      await open(await start(host, { guard: chatGuard(local) }), { headers: { Host: name, Origin: origin } });
    },
  );

  test.each([
    'rebound.evil.example',
    'rebound.evil.example:3000',
    'localhost.evil.example',
    '192.0.2.1',
    '127.0.0.1.evil.example',
  ])('a page of %s, rebound to loopback, does not', async (name) => {
    const app = await start(host, { guard: chatGuard(local) });
    const headers = { Host: name, Origin: `http://${name}` };
    expect(verdict(await refused(app, { headers }))).toBe('403 host_denied');
  });

  test.each([
    '0x7f.1',
    '127.1',
    '2130706433',
    '[::ffff:127.0.0.1]',
    'localhost.',
    'localhost:0x50',
    'user@localhost',
    'localhost:99999',
  ])('another spelling of loopback is no loopback name: %s', async (name) => {
    const app = await start(host, { guard: chatGuard(local) });
    const answer = await refused(app, { headers: { Host: name, Origin: 'http://localhost' } });
    expect(['400 request_malformed', '403 host_denied']).toContain(verdict(answer));
  });

  test('a list of hosts is exact, with its ports, and a star is one label', async () => {
    const guard = chatGuard({ ...local, hosts: ['chat.example.com:8443', '*.tenants.example.com'] });
    const app = await start(host, { guard });
    const of = (name: string) => ({ headers: { Host: name, Origin: `http://${name}` } });
    await open(app, of('chat.example.com:8443'));
    await open(app, of('one.tenants.example.com'));
    for (const name of [
      'chat.example.com',
      'tenants.example.com',
      'a.b.tenants.example.com',
      'eviltenants.example.com',
    ])
      expect(verdict(await refused(app, of(name)))).toBe('403 host_denied');
  });
});
