import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type AnyGuard, type Connection, custom } from '@sallyport/core';
import { handshakeRequest } from '@sallyport/ws/host';
import { APP, chatGuard, chatJwt, NOW, token } from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';
import { admitted, frame, type HandshakeOptions, refusal, Wire } from '../support/wire.ts';
import { echo, type RunningHost, type sessionOf } from './hosts/host.ts';
import { hosts } from './hosts/index.ts';

/** The application's own session, which its middleware has put on the native request. */
const session = custom({
  scheme: 'session',
  authenticate: ({ request }) => {
    const found = (request.native as { session?: ReturnType<typeof sessionOf> }).session;
    return found === undefined ? undefined : { subject: found.user, session: `session of ${found.user}` };
  },
});

describe.each(hosts)('$name', (host) => {
  let guard: AnyGuard;
  let started: RunningHost;
  let connections: Connection[];
  const wires: Wire[] = [];

  beforeEach(async () => {
    guard = chatGuard({ auth: [chatJwt(), session], subprotocols: ['chat.v2', 'chat.v1'] });
    connections = [];
    started = await host.start({
      guard,
      chat(connection, socket, native) {
        connections.push(connection);
        return echo(connection, socket, native);
      },
    });
  });
  afterEach(async () => {
    for (const wire of wires.splice(0)) wire.destroy();
    await started.close();
  });

  async function open(options: HandshakeOptions): Promise<Wire> {
    const wire = await admitted(started.port, options);
    wires.push(wire);
    await eventually(() => connections.length > 0, 'the handler');
    return wire;
  }

  describe('by the place of the credential', () => {
    const places: Record<string, (token: string) => HandshakeOptions> = {
      'the Authorization header': (text) => ({ headers: { Authorization: `Bearer ${text}` } }),
      'a cookie': (text) => ({ headers: { Cookie: `theme=dark; token=${text}`, Origin: APP } }),
      'a subprotocol': (text) => ({ headers: { 'Sec-WebSocket-Protocol': `bearer, ${text}`, Origin: APP } }),
      'the query': (text) => ({ target: `/chat?room=1&token=${text}`, headers: { Origin: APP } }),
    };

    test.each(Object.keys(places))(
      'a token in %s is admitted with its identity, and the next message is answered',
      async (place) => {
        const claims = { sub: 'bob', jti: 't1', sid: 's1', role: 'admin' };
        const wire = await open((places[place] as (typeof places)[string])(await token(claims)));
        expect(connections[0]?.identity).toEqual({
          scheme: 'jwt',
          subject: 'bob',
          session: 's1',
          tokenId: 't1',
          issuedAt: NOW,
          expiresAt: NOW + 300,
          claims: expect.objectContaining({ role: 'admin' }),
        });
        wire.send(frame('{"type":"say","text":"hi"}'));
        expect(await wire.messages(1)).toEqual(['{"text":"hi","type":"said"}']);
        expect(guard.stats()).toMatchObject({ connections: 1, pending: 0, admitted: 1, denied: {} });
      },
    );

    test("the application's session is admitted where middleware runs before the inner door, and gets 401 elsewhere", async () => {
      const asked = { headers: { Cookie: 'session=dora', Origin: APP } };
      if (!host.capabilities.middleware) {
        expect(await refusal(started.port, asked)).toMatchObject({ status: 401 });
        return;
      }
      await open(asked);
      expect(connections[0]?.identity).toMatchObject({ scheme: 'session', subject: 'dora' });
    });
  });

  test('a handshake that offers a token and two subprotocols of the policy selects the first of them that it offers', async () => {
    const offers = { 'Sec-WebSocket-Protocol': `bearer, ${await token()}, chat.v1, chat.v2`, Origin: APP };
    const wire = await open({ headers: offers });
    expect((await wire.head()).headers['sec-websocket-protocol']).toBe('chat.v1');
    expect(connections[0]?.subprotocol).toBe('chat.v1');
  });

  test('a handshake that offers only a token as a subprotocol selects its marker, bearer', async () => {
    const wire = await open({
      headers: { 'Sec-WebSocket-Protocol': `bearer, ${await token()}`, Origin: APP },
    });
    expect((await wire.head()).headers['sec-websocket-protocol']).toBe('bearer');
    expect(connections[0]?.subprotocol).toBe('bearer');
  });

  test('a handshake that offers no subprotocol gets none in the 101', async () => {
    const wire = await open({ headers: { Authorization: `Bearer ${await token()}` } });
    expect((await wire.head()).headers).not.toHaveProperty('sec-websocket-protocol');
  });

  test('the handler sees a URL without the token, and with its other parameters', async () => {
    await open({ target: `/chat?a=1&token=${await token()}&b=2`, headers: { Origin: APP } });
    expect(started.handled.map((url) => url.replace('/.websocket', ''))).toEqual(['/chat?a=1&b=2']);
    expect(connections[0]?.path).toBe('/chat');
  });

  test('a slot is free again after a close frame, a reset, a destroyed socket, terminate() and a broken frame', async () => {
    const headers = { Authorization: `Bearer ${await token()}` };
    const ends: ((wire: Wire) => unknown)[] = [
      (wire) => leave(wire.send(frame(Buffer.from([0x03, 0xe8]), 0x8))),
      (wire) => wire.reset(),
      (wire) => wire.destroy(),
      () => connections.at(-1)?.terminate(),
      (wire) => leave(wire.send(frame('of no known kind', 0x3))),
    ];
    const leave = async (wire: Wire): Promise<void> => {
      await wire.closeCode();
      wire.destroy();
    };
    for (const end of ends) {
      const wire = await open({ headers });
      await eventually(() => guard.stats().connections === 1, 'the connection');
      end(wire);
      await eventually(() => guard.stats().connections === 0, 'its end');
    }
    expect(guard.stats().admitted).toBe(ends.length);
  });

  test('guard.explain() gives the same outcome and reason as the handshake itself', async () => {
    const good = `Bearer ${await token()}`;
    const offers: Record<string, string>[] = [
      { Authorization: good },
      { Authorization: good, Origin: 'https://evil.example' },
      { Authorization: `${good}x` },
      { Origin: APP },
      { Authorization: good, 'Sec-WebSocket-Version': '8' },
    ];
    for (const headers of offers) {
      const explanation = await guard.explain(
        handshakeRequest({
          method: 'GET',
          url: '/chat',
          httpVersion: '1.1',
          rawHeaders: Object.entries({
            Host: 'localhost',
            Upgrade: 'websocket',
            Connection: 'Upgrade',
            'Sec-WebSocket-Version': '13',
            'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
            ...headers,
          }).flat(),
          socket: { remoteAddress: '127.0.0.1' },
        } as never),
      );
      const wire = await Wire.open(started.port);
      wires.push(wire);
      const answer = await wire.handshake({ headers }).head();
      const last = explanation.stages.find(({ outcome }) => outcome === 'deny');
      // The session authenticator is application code, which explain() does not run.
      if (explanation.allowed !== undefined) expect(answer.status === 101).toBe(explanation.allowed);
      if (last !== undefined) expect(JSON.parse(answer.body)).toMatchObject({ error: last.reason });
    }
  });
});
