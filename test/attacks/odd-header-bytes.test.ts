// H11: unusual bytes in headers are refused and crash nothing (Granian CVE-2026-42544, Daphne CVE-2026-44546).
import { describe, expect, test } from '@jest/globals';
import { hosts } from '../contract/hosts/index.ts';
import { applications } from '../support/applications.ts';
import { APP, chatGuard, goodHeaders, token } from '../support/chat-policy.ts';

const odd: readonly (readonly [string, string])[] = [
  ['Sec-WebSocket-Protocol', 'ch\u00e4t'],
  ['Sec-WebSocket-Protocol', 'a, , b'],
  ['Sec-WebSocket-Protocol', 'a,a'],
  ['Sec-WebSocket-Protocol', ''],
  ['Sec-WebSocket-Protocol', '"quoted"'],
  ['Sec-WebSocket-Protocol', '\u00ff\u00fe'],
  ['Sec-WebSocket-Extensions', 'x\u0080'],
  ['Origin', 'https://\u00e4pp.example.com'],
  ['Origin', `${APP}\u00a0`],
  ['Host', 'loc\u00e4lhost'],
  ['Authorization', 'Bearer \u00ff'],
  ['Authorization', 'Bearer'],
  ['Authorization', 'Bearer  '],
  ['Sec-WebSocket-Key', '\u00e4HhlIHNhbXBsZSBub25jZQ=='],
];

describe.each(hosts)('$name', (host) => {
  const { start, open, refused } = applications();

  test.each(odd)('the header %s: %j is refused, and the next handshake is admitted', async (name, value) => {
    const app = await start(host, { guard: chatGuard() });
    const answer = await refused(app, { headers: { ...(await goodHeaders()), [name]: value } });
    expect([400, 401, 403]).toContain(answer.status);
    expect(answer.raw).not.toContain('HTTP/1.1 101');
    expect(app.handled).toEqual([]);
    await open(app, { headers: await goodHeaders() });
  });

  test.each([
    'token=%',
    'token=%ff%fe',
    'token="',
    '=; ;;token',
    `token=${'%41'.repeat(2_000)}`,
    '__proto__=1; token=1',
  ])('the header Cookie: %j gets 401 and causes no fault', async (Cookie) => {
    const guard = chatGuard();
    const faults: unknown[] = [];
    guard.on('fault', ({ error }) => faults.push(error));
    const app = await start(host, { guard });
    const answer = await refused(app, { headers: { Cookie, Origin: APP } });
    expect(answer.status).toBe(401);
    expect(faults).toEqual([]);
  });

  test.each(['/chat?token=%', '/chat?token=%ff', '/chat?token', '/chat?=&token=', '/chat?%74oken=wrong'])(
    'the target %s gets 401 and causes no fault',
    async (target) => {
      const guard = chatGuard();
      const faults: unknown[] = [];
      guard.on('fault', ({ error }) => faults.push(error));
      const app = await start(host, { guard });
      expect((await refused(app, { target, headers: { Origin: APP } })).status).toBe(401);
      expect(faults).toEqual([]);
    },
  );

  // Browsers hold the true names `__Host-` and `__Secure-` to their rules, and keep every other byte as part of a name.
  test.each([
    '\u00a0token',
    'token\u00a0',
    '\u000btoken',
    'token\u000c',
    '\u0085token',
    'token\u00ad',
    'tok\u00a0en',
  ])('a cookie named %j is not the cookie that counts', async (name) => {
    const app = await start(host, { guard: chatGuard() });
    const Cookie = `${name}=${await token({ sub: 'mallory' })}`;
    const { status } = await refused(app, { headers: { Cookie, Origin: APP } });
    // Node's own parser refuses control bytes in a header.
    expect([400, 401]).toContain(status);
    if (status === 400) return;
    await open(app, { headers: { Cookie: `${Cookie}; token=${await token()}`, Origin: APP } });
    expect(app.handled.join()).not.toContain('mallory');
  });

  test('a token under a percent-encoded parameter name is accepted, and removed from the URL', async () => {
    const app = await start(host, { guard: chatGuard() });
    await open(app, { target: `/chat?a=1&%74oken=${await token()}`, headers: { Origin: APP } });
    expect(app.handled.join()).not.toContain('eyJ');
  });
});
