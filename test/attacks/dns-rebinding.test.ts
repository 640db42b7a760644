// H6: Host is checked against a list of its own. In DNS rebinding, Origin and Host both hold the attacker's name, so that they
// are the same origin: Playwright MCP CVE-2025-9611, Vite CVE-2025-24010, Vitest CVE-2025-24964, Claude Code IDE CVE-2025-52882.
import { describe, expect, test } from '@jest/globals';
import { anonymous, unsafeAllowPlaintext } from '@sallyport/core';
import { hosts } from '../contract/hosts/index.ts';
import { applications, verdict } from '../support/applications.ts';
import { chatGuard, type PolicyOverrides } from '../support/chat-policy.ts';

/** A development server without any option: on loopback, for anonymous clients. */
const local: PolicyOverrides = {
  origins: undefined as never,
  hosts: undefined as never,
  auth: [anonymous()],
  transport: unsafeAllowPlaintext,
};

describe.each(hosts)('$name', (host) => {
  const { start, open, refused } = applications();

  test.each(['localhost', 'localhost:3000', '127.0.0.1:3000', '[::1]:3000', 'LOCALHOST'])(
    'Host %s with the same origin is admitted',
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
  ])('Host %s with the same origin, rebound to loopback, gets 403', async (name) => {
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
  ])('Host %s, another spelling of loopback, is refused', async (name) => {
    const app = await start(host, { guard: chatGuard(local) });
    const answer = await refused(app, { headers: { Host: name, Origin: 'http://localhost' } });
    expect(['400 request_malformed', '403 host_denied']).toContain(verdict(answer));
  });

  test('policy.hosts compares names and ports exactly, and a star stands for one label', async () => {
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
