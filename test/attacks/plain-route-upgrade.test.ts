// H13: an upgrade of a route that is no WebSocket route is refused. Fastify without the guard answers 101 and closes with 1005.
import { describe, expect, test } from '@jest/globals';
import { hosts } from '../contract/hosts/index.ts';
import { applications, verdict } from '../support/applications.ts';
import { chatGuard, goodHeaders } from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';

describe.each(hosts)('$name', (host) => {
  const { start, dial, open, refused } = applications();

  test.each(['/plain', '/nowhere', '/chat/below', '/chatter'])(
    'an upgrade of %s, which is no WebSocket route, is refused or closed without a handler',
    async (target) => {
      const guard = chatGuard({ limits: { connections: 1 } });
      const app = await start(host, { guard });
      const options = { target, headers: await goodHeaders() };
      if (host.capabilities.knowsRoutes) {
        const answer = await refused(app, options);
        expect(verdict(answer)).toBe('404 route_unknown');
        expect(answer.headers).toMatchObject({ connection: 'close' });
        expect(answer.raw).not.toContain('HTTP/1.1 101');
      } else {
        // This library finds out after the 101 that no route matches. The connection is closed, and no handler runs.
        const wire = (await dial(app)).handshake(options);
        expect(await wire.closeCode()).toBe(4404);
        wire.destroy();
        await eventually(() => guard.stats().connections === 0, 'the end of the connection');
      }
      expect(app.handled).toEqual([]);
      await open(app, { headers: await goodHeaders() });
    },
  );

  test('a handshake with a foreign Host gets the same refusal at a known and at an unknown path', async () => {
    const app = await start(host, { guard: chatGuard() });
    const headers = { ...(await goodHeaders()), Host: 'evil.example' };
    const [known, unknown] = [
      await refused(app, { target: '/chat', headers }),
      await refused(app, { target: '/nowhere', headers }),
    ];
    expect(known.raw).toBe(unknown.raw);
  });
});
