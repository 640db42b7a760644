// H3: what Node takes for an ordinary request is one for the guard, too. It reaches the application, and raises no alarm.
import { describe, expect, test } from '@jest/globals';
import { generate } from 'selfsigned';
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

/** Upgrades that clients offer and a server may ignore (RFC 9110 §7.8). */
const otherProtocols: Record<string, HandshakeOptions> = {
  'h2c, as HTTP/2 clients send it with their first request': {
    headers: { Upgrade: 'h2c', Connection: 'Upgrade, HTTP2-Settings', 'HTTP2-Settings': 'AAMAAABkAAQAAP__' },
  },
  'TLS/1.2': { headers: { Upgrade: 'TLS/1.2' } },
  'two other protocols': { headers: { Upgrade: ['h2c', 'TLS/1.2'] } },
  'a protocol whose name contains websocket': { headers: { Upgrade: 'x-websocket' } },
  'a protocol without a name': { headers: { Upgrade: '' } },
  'h2c with a body': {
    headers: { Upgrade: 'h2c', 'Content-Length': '5' },
    after: 'hello',
  },
  'h2c with a chunked body': {
    headers: { Upgrade: 'h2c', 'Transfer-Encoding': 'chunked' },
    after: '5\r\nhello\r\n0\r\n\r\n',
  },
};
const noHandshake = { 'Sec-WebSocket-Key': null, 'Sec-WebSocket-Version': null };

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

  test.each(Object.entries(otherProtocols))(
    'an upgrade to %s: an ordinary route answers as to any request, and keeps the connection',
    async (_what, { headers, after = '' }) => {
      const guard = chatGuard();
      const app = await start(host, { guard });
      const wire = await dial(app);
      const options = { target: '/plain', headers: { ...noHandshake, ...headers }, after };
      const answer = await ask(wire, options);
      expect(answer).toMatchObject({ status: 200, body: 'plain', headers: { connection: 'keep-alive' } });
      expect(guard.stats()).toMatchObject({ denied: {}, admitted: 0 });
      wire.handshake({ headers: await goodHeaders() });
      await wire.until((bytes) => bytes.includes('HTTP/1.1 101 '), 'the WebSocket on the same connection');
    },
  );

  test.each(Object.entries(otherProtocols))(
    'an upgrade to %s of a WebSocket route is no WebSocket, and calls no handler',
    async (_what, { headers, after = '' }) => {
      const guard = chatGuard();
      const app = await start(host, { guard });
      const good = await goodHeaders();
      const answer = await ask(await dial(app), { headers: { ...good, ...noHandshake, ...headers }, after });
      expect([200, 404, 426]).toContain(answer.status);
      expect(guard.stats().denied).toEqual({});
      expect(app.handled).toEqual([]);
    },
  );

  test('over TLS, an upgrade to h2c is an ordinary request, too', async () => {
    const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }], {
      algorithm: 'sha256',
    });
    const app = await start(host, { guard: chatGuard(), tls: { key, cert } });
    const h2c = { headers: { ...noHandshake, Upgrade: 'h2c' }, target: '/plain' };
    expect(await ask(await dial(app, { tls: true }), h2c)).toMatchObject({ status: 200, body: 'plain' });
  });

  test('a tab beside Connection: Upgrade raises no alarm, whether Node takes the request for an upgrade or not', async () => {
    const guard = chatGuard();
    const app = await start(host, { guard });
    const wire = (await dial(app)).handshake({ target: '/plain', headers: { Connection: '\tUpgrade\t, x' } });
    await wire.head();
    expect(guard.stats().denied).not.toHaveProperty('internal');
  });
});
