// H8: a client sends one header line after the other and never the end of them, half of a request line, or nothing. There is no
// handshake before the headers are complete, so that no deadline of the guard has begun: the server's own ends the connection.
// Slow headers, CVE-2007-6750.
import { describe, expect, test } from '@jest/globals';
import { hosts } from '../contract/hosts/index.ts';
import { applications } from '../support/applications.ts';
import { chatGuard, goodHeaders } from '../support/chat-policy.ts';
import type { Wire } from '../support/wire.ts';

const BEGUN = 'GET /chat HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n';
/** Milliseconds between two lines of a client that never ends its headers. */
const DRIP = 200;

const clients: Record<string, (wire: Wire) => void> = {
  'headers that come line by line': (wire) => {
    wire.send(BEGUN);
    const drip = setInterval(() => wire.send('X-More: 1\r\n'), DRIP);
    wire.socket.on('error', () => {}).once('close', () => clearInterval(drip));
    wire.socket.once('end', () => clearInterval(drip));
  },
  'headers without an end': (wire) => void wire.send(BEGUN),
  'half of a request line': (wire) => void wire.send('GET /ch'),
  'no bytes at all': () => {},
};

describe('limits.handshakeTimeout', () => {
  const { start, dial, open } = applications();

  // All hosts at once, because each takes the 5 s that headers may take at least.
  test('a connection whose headers do not end is closed within the deadline, on every host', async () => {
    const ends: Promise<unknown>[] = [];
    const waits = hosts.map(async (host) => {
      const guard = chatGuard({ limits: { handshakeTimeout: '5s' } });
      const app = await start(host, { guard });
      const chat = await open(app, { headers: await goodHeaders() });
      for (const [what, begin] of Object.entries(clients)) {
        const wire = await dial(app);
        begin(wire);
        ends.push(wire.until(() => wire.ended, `the end of ${what} on ${host.name}`));
      }
      return { host, guard, chat };
    });
    const served = await Promise.all(waits);
    await Promise.all(ends);
    for (const { host, guard, chat } of served) {
      expect([host.name, chat.ended, guard.stats().connections]).toEqual([host.name, false, 1]);
      expect([host.name, guard.stats().denied]).toEqual([host.name, {}]);
    }
  }, 60_000);

  test.each(hosts)(
    '$name: the server cuts headers at the limit, and looks ten times as often',
    async (host) => {
      const { server } = await start(host, { guard: chatGuard() });
      expect(server).toMatchObject({ headersTimeout: 10_000, connectionsCheckingInterval: 1_000 });
    },
  );
});
