// H3: what Node takes for an ordinary request is one for the guard, too. It reaches the application, and raises no alarm.
import { describe, expect, test } from '@jest/globals';
import { applications } from '../support/applications.ts';
import { chatGuard, goodHeaders } from '../support/chat-policy.ts';
import type { Answer, HandshakeOptions, Wire } from '../support/wire.ts';
import { hosts } from './hosts/index.ts';

type Headers = HandshakeOptions['headers'];

/** Handshakes that lack a header, so that Node takes them for ordinary requests. */
const incomplete: Record<string, { headers: Headers; missing: string[] }> = {
  'Upgrade: websocket without Connection': {
    headers: { Connection: null },
    missing: ['Connection: Upgrade'],
  },
  'Upgrade: websocket with Connection: keep-alive': {
    headers: { Connection: 'keep-alive' },
    missing: ['Connection: Upgrade'],
  },
  'Upgrade: websocket and no other header of a handshake': {
    headers: { Connection: null, 'Sec-WebSocket-Key': null, 'Sec-WebSocket-Version': null },
    missing: ['Connection: Upgrade'],
  },
  'an option that only begins with Upgrade': {
    headers: { Connection: 'Upgrade-Insecure' },
    missing: ['Connection: Upgrade'],
  },
  'Upgrade: h2c, websocket without Connection': {
    headers: { Upgrade: 'h2c, WebSocket', Connection: null },
    missing: ['Connection: Upgrade'],
  },
  'a key without Upgrade and Connection': {
    headers: { Upgrade: null, Connection: 'close' },
    missing: ['Upgrade: websocket', 'Connection: Upgrade'],
  },
  'a key and Connection: Upgrade without Upgrade': {
    headers: { Upgrade: null },
    missing: ['Upgrade: websocket'],
  },
};

/** Sends a request, and waits for its answer: the connection may be kept alive. */
async function ask(wire: Wire, options: HandshakeOptions): Promise<Answer> {
  wire.handshake(options);
  const { headers } = await wire.head();
  const length = Number(headers['content-length'] ?? 0);
  await wire.until((bytes) => bytes.length >= bytes.indexOf('\r\n\r\n') + 4 + length, 'the body');
  return wire.head();
}

describe.each(hosts)('$name', (host) => {
  const { start, dial, open } = applications();

  test.each(Object.entries(incomplete))(
    '%s: an ordinary route answers as to any request, and nothing is denied',
    async (_what, { headers }) => {
      const guard = chatGuard();
      const app = await start(host, { guard });
      const answer = await ask(await dial(app), { target: '/plain', headers: { ...headers } });
      expect(answer).toMatchObject({ status: 200, body: 'plain' });
      expect(guard.stats().denied).toEqual({});
    },
  );

  if (host.capabilities.answersRequests) {
    test.each(Object.entries(incomplete))(
      '%s: a WebSocket route answers 400 and names the missing header, to the client and in the event',
      async (_what, { headers, missing }) => {
        const guard = chatGuard();
        const details: string[] = [];
        guard.on('handshake.denied', ({ stage, detail }) => void details.push(`${stage}: ${detail}`));
        const app = await start(host, { guard });
        const answer = await ask(await dial(app), { headers: { ...(await goodHeaders()), ...headers } });
        const lack = `no ${missing.join(' and no ')} in the handshake: a proxy may have removed it`;
        expect(answer.status).toBe(400);
        expect(JSON.parse(answer.body)).toEqual({
          error: 'request_malformed',
          message: `There is ${lack}.`,
        });
        expect(details).toEqual([`request: ${lack}`]);
        expect(app.handled).toEqual([]);
        await open(app, { headers: await goodHeaders() });
      },
    );
  } else {
    test.each(Object.entries(incomplete))(
      '%s: the path of a WebSocket route is no WebSocket, and nothing is denied',
      async (_what, { headers }) => {
        const guard = chatGuard();
        const app = await start(host, { guard });
        const answer = await ask(await dial(app), { headers: { ...(await goodHeaders()), ...headers } });
        expect([200, 404]).toContain(answer.status);
        expect(guard.stats().denied).toEqual({});
        expect(app.handled).toEqual([]);
      },
    );
  }

  test('a tab beside Connection: Upgrade raises no alarm, whether Node takes the request for an upgrade or not', async () => {
    const guard = chatGuard();
    const app = await start(host, { guard });
    const wire = (await dial(app)).handshake({ target: '/plain', headers: { Connection: '\tUpgrade\t, x' } });
    await wire.head();
    expect(guard.stats().denied).not.toHaveProperty('internal');
  });
});
