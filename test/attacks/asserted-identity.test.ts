// The identity of a client comes from its verified credential and from nothing else that it sends (OpenClaw
// CVE-2026-53821), and the id of a connection cannot be guessed (Spring CVE-2026-41838).
import { describe, expect, test } from '@jest/globals';
import type { Connection } from '@sallyport/core';
import { hosts } from '../contract/hosts/index.ts';
import { applications } from '../support/applications.ts';
import { chatGuard, goodHeaders } from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';

describe.each(hosts)('$name', (host) => {
  const { start, open } = applications();

  test('an identity comes from the token, not from headers or query parameters that name another user', async () => {
    const connections: Connection[] = [];
    const app = await start(host, {
      guard: chatGuard(),
      chat: (connection) => void connections.push(connection),
    });
    const claimed = {
      'X-User': 'root',
      'X-Scopes': 'admin',
      'X-Sallyport-Identity': '{"subject":"root"}',
    };
    const headers = { ...(await goodHeaders('alice')), ...claimed };
    await open(app, { target: '/chat?user=root&scope=admin', headers });
    await eventually(() => connections.length === 1, 'the connection');
    const identity = connections[0]?.identity;
    expect(identity?.subject).toBe('alice');
    expect(JSON.stringify(identity)).not.toMatch(/root|admin/);
    expect(Object.isFrozen(identity)).toBe(true);
    expect(() => Object.assign(identity?.claims as object, { admin: true })).toThrow(TypeError);
  });

  test('five connections get five ids of 22 characters, which is 128 random bits', async () => {
    const ids = new Set<string>();
    const app = await start(host, { guard: chatGuard(), chat: ({ id }) => void ids.add(id) });
    for (let i = 0; i < 5; i++) await open(app, { headers: await goodHeaders() });
    await eventually(() => ids.size === 5, 'five connections');
    for (const id of ids) expect(id).toMatch(/^[\w-]{22}$/);
  });
});
