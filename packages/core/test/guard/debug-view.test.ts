// What `console.log` and debuggers show of the guard's objects: what a person who debugs needs, and no secret.
import { inspect } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import {
  type AnyGuard,
  anonymous,
  bearer,
  custom,
  jwt,
  passthrough,
  query,
  subprotocol,
  Type,
  tickets,
} from '@sallyport/core';
import { hostGuard } from '@sallyport/core/host';
import { SignJWT } from 'jose';
import type { Handshake } from '../../src/handshake/handshake.ts';
import { admitted, connect } from '../support/decide.ts';
import { guardOf } from '../support/guards.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RecordingSocket } from '../support/recording-socket.ts';
import { SharedStore } from '../support/shared-store.ts';
import { upgradeRequest } from '../support/upgrade-request.ts';

const SECRET = 'a secret of a server, in 32 bytes or more';

/** A guard that knows a secret, and a token of `alice`. */
async function bench(options: object = {}) {
  const clock = new ManualClock();
  const authenticator = jwt({
    secret: SECRET,
    algorithms: ['HS256'],
    issuer: 'https://id.example.com',
    audience: 'chat',
    from: [bearer(), query('token'), subprotocol()],
  });
  const guard = guardOf({ clock, auth: [authenticator, tickets()], ...options });
  const token = await new SignJWT({ sub: 'alice' })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer('https://id.example.com')
    .setAudience('chat')
    .setExpirationTime(clock.now() / 1_000 + 60)
    .sign(new TextEncoder().encode(SECRET));
  const request = upgradeRequest({ target: `/chat?room=1&token=${token}` });
  return { clock, guard, authenticator, token, request };
}

/** Everything that can be reached by looking, in one text. */
const look = (value: unknown) => inspect(value, { depth: 50, maxArrayLength: null, maxStringLength: null });

describe('util.inspect of a guard', () => {
  test('util.inspect of a guard shows its name, connections, message types, authenticators and store', async () => {
    const { guard, request } = await bench({
      name: 'chat',
      messages: { say: Type.Object({}), leave: Type.Object({}) },
    });
    connect(await admitted(guard, request), new RecordingSocket());
    expect(inspect(guard)).toBe(`Guard {
  name: 'chat',
  state: 'open',
  connections: 1,
  pending: 0,
  messages: [ 'say', 'leave' ],
  auth: [ 'jwt', 'ticket' ],
  store: 'memory'
}`);
  });

  test('util.inspect of an extension shows the messages of its route', async () => {
    const { guard } = await bench();
    const admin = guard.extend({ name: 'admin', messages: { kick: Type.Object({}) } } as object);
    const opaque = guard.extend({ messages: passthrough({ text: true }) } as object);
    expect(inspect(admin)).toContain("name: 'admin'");
    expect(inspect(admin)).toContain("messages: [ 'kick' ]");
    expect(inspect(opaque)).toContain("messages: 'passthrough'");
  });

  test('util.inspect of a guard counts a client that has not authenticated as pending', async () => {
    const { guard } = await bench({ firstMessage: true });
    const admission = await admitted(guard, upgradeRequest());
    admission.open(new RecordingSocket(), () => {});
    expect(inspect(guard)).toContain('connections: 0,\n  pending: 1,');
  });

  test('util.inspect of a guard shows that its store is shared', async () => {
    const clock = new ManualClock();
    expect(inspect(guardOf({ clock, store: new SharedStore(clock) }))).toContain("store: 'shared'");
  });

  test('util.inspect of a guard shows that it is closing, and then that it is closed', async () => {
    const { clock, guard, request } = await bench();
    const socket = new RecordingSocket();
    const admission = await admitted(guard, request);
    const receiver = admission.open(socket, () => {});
    const closing = guard.close({ within: '1s' });
    expect(inspect(guard)).toContain("state: 'closing'");
    receiver.closed(1001);
    await closing;
    expect(inspect(guard)).toContain("state: 'closed'");
    expect(clock.pending).toBe(0);
  });

  test('util.inspect of a guard inside another object ends at the depth limit', async () => {
    const { guard } = await bench();
    expect(inspect({ app: { guard } }, { depth: 1 })).toBe('{ app: { guard: [Guard] } }');
  });

  test.each<[string, (guard: AnyGuard) => object]>([
    ['a proxy of it', (guard) => new Proxy(guard, {})],
    ['an object that inherits from it', (guard) => Object.create(guard)],
  ])('of %s, shows nothing and does not fail', async (_what, derive) => {
    const { guard } = await bench();
    expect(inspect(derive(guard))).toBe('Guard {}');
  });
});

describe('util.inspect of an identity', () => {
  test('util.inspect of an identity shows its scheme, subject, token, times and the names of its claims', async () => {
    const session = custom({
      scheme: 'session',
      from: [bearer()],
      authenticate: () => ({
        subject: 'alice',
        session: 'the id of a session, which opens it',
        tokenId: 't-1',
        issuedAt: Date.parse('2030-01-01T00:00:00Z') / 1_000,
        expiresAt: Date.parse('2030-01-01T01:00:00Z') / 1_000,
        claims: { email: 'alice@example.com', roles: ['admin'] },
      }),
    });
    const { guard } = await bench({ auth: [session] });
    const request = upgradeRequest({ headers: { Authorization: 'Bearer a' } });
    const { identity } = connect(await admitted(guard, request), new RecordingSocket());
    expect(inspect(identity)).toBe(`Identity {
  scheme: 'session',
  subject: 'alice',
  tokenId: 't-1',
  issued: 2030-01-01T00:00:00.000Z,
  expires: 2030-01-01T01:00:00.000Z,
  claims: [ 'email', 'roles' ]
}`);
    // It stays plain data for everything else.
    expect(JSON.parse(JSON.stringify(identity))).toMatchObject({
      session: expect.any(String),
      tokenId: 't-1',
    });
    expect(Object.keys(identity)).not.toContain('inspect');
  });

  test('util.inspect of an identity without times shows the rest', async () => {
    const { guard } = await bench({ auth: [anonymous()] });
    const { identity } = connect(
      await admitted(guard, upgradeRequest({ headers: { Origin: 'http://localhost:3000' } })),
      new RecordingSocket(),
    );
    expect(inspect(identity)).toBe(
      "Identity {\n  scheme: 'anonymous',\n  subject: 'anonymous@127.0.0.1',\n  claims: []\n}",
    );
  });
});

describe('util.inspect of a connection', () => {
  test('util.inspect of a connection shows who is connected, from where and since when, and no claims', async () => {
    const { guard, request } = await bench();
    const connection = connect(await admitted(guard, request), new RecordingSocket());
    const shown = inspect(connection);
    expect(shown).toMatch(
      /^Connection \{\n {2}id: '[\w-]+',\n {2}state: 'open',\n {2}scheme: 'jwt',\n {2}subject: 'alice',/,
    );
    for (const inner of ['place', 'ledger', 'claims', 'context']) expect(shown).not.toContain(inner);
  });
});

describe('util.inspect shows no secret and no token', () => {
  test('util.inspect of a guard and its parts shows no secret', async () => {
    const { guard, authenticator, token, request } = await bench();
    const connection = connect(await admitted(guard, request), new RecordingSocket());
    const shown = look([guard, guard.bans, guard.tickets, guard.stats(), authenticator, connection]);
    expect(shown).toContain('Guard {');
    expectNothingOf([token, SECRET, Buffer.from(SECRET).toString('base64url')], shown);
  });

  test.each<[string, (token: string) => Parameters<typeof upgradeRequest>[0]]>([
    ['the query', (token) => ({ target: `/chat?room=1&token=${token}` })],
    ['a header', (token) => ({ headers: { Authorization: `Bearer ${token}` } })],
    ['the subprotocols', (token) => ({ headers: { 'Sec-WebSocket-Protocol': `bearer, ${token}` } })],
  ])('of a handshake with a token in %s, and of its admission', async (_where, overrides) => {
    const { guard, token } = await bench();
    const handshake = hostGuard(guard).begin(upgradeRequest(overrides(token)), () => {});
    await hostGuard(guard).enter(handshake);
    const admission = await hostGuard(guard).admit(handshake, undefined);
    expect(admission.denied).toBe(false);
    const shown = look([handshake, (handshake as Handshake).context, admission]);
    expect(shown).toContain("subject: 'alice'");
    expect(shown).toContain("path: '/chat'");
    expectNothingOf([token, SECRET], shown);
  });

  test('util.inspect of a denied handshake shows its reason and no token', async () => {
    const { guard, token } = await bench();
    const wrong = token.slice(0, -10);
    const handshake = hostGuard(guard).begin(upgradeRequest({ target: `/chat?token=${wrong}` }), () => {});
    await hostGuard(guard).enter(handshake);
    await hostGuard(guard).admit(handshake, undefined);
    expect(inspect(handshake)).toContain("denied: 'credential_invalid'");
    expectNothingOf([wrong], look(handshake));
  });
});

function expectNothingOf(secrets: readonly string[], shown: string): void {
  for (const secret of secrets) expect(shown).not.toContain(secret);
}
