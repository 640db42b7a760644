import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ManualClock } from '../../../packages/core/test/support/manual-clock.ts';
import { type Demo, startDemo } from '../demo.ts';
import { HOSTS } from '../server/arguments.ts';
import { ask, Client, login, post } from './support/client.ts';

describe.each(HOSTS)('the chat on %s', (host) => {
  let demo: Demo;
  let url: string;

  beforeAll(async () => {
    demo = await startDemo({ host, port: 0, tls: false, silent: true });
    url = demo.url;
  });
  afterAll(() => demo.close());

  const numbers = async () =>
    (await (await fetch(`${url}/health`)).json()) as {
      connections: number;
      admitted: number;
      denied: Record<string, number>;
    };

  test('POST /login gives an HttpOnly cookie and a token that expires after five minutes', async () => {
    const response = await post(url, '/login', { user: 'alice' });
    expect(response.status).toBe(200);
    expect(response.headers.get('set-cookie')).toMatch(
      /^session=[\w-]+\.[\w-]+\.[\w-]{43}; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax$/,
    );
    const { token } = (await response.json()) as { token: string };
    const claims = JSON.parse(Buffer.from(token.split('.')[1] as string, 'base64url').toString()) as {
      [claim: string]: unknown;
    };
    expect(claims).toMatchObject({ sub: 'alice', exp: (claims.iat as number) + 300 });
  });

  test('a handshake with the cookie, the Authorization header or the subprotocol is admitted as its user', async () => {
    const { cookie, token } = await login(url, 'alice');
    const clients = [
      await Client.open(url, { headers: { cookie }, origin: url }),
      await Client.open(url, { headers: { authorization: `Bearer ${token}` } }),
      await Client.open(url, { origin: url }, ['bearer', token]),
    ];
    for (const client of clients) expect(await client.next()).toEqual({ type: 'welcome', user: 'alice' });
    expect(clients.map(({ protocol }) => protocol)).toEqual(['', '', 'bearer']);
    for (const client of clients) client.close();
  });

  test('a handshake without a credential or with a forged one gets 401, and from a foreign page 403', async () => {
    const { cookie, token } = await login(url, 'alice');
    const [header, payload] = token.split('.');
    const none = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url');
    expect(await Client.connect(url)).toEqual({ status: 401, error: 'credential_missing' });
    expect(await Client.connect(url, {}, ['bearer', `${header}.${payload}.${'A'.repeat(43)}`])).toEqual({
      status: 401,
      error: 'credential_invalid',
    });
    expect(await Client.connect(url, {}, ['bearer', `${none}.${payload}.`])).toEqual({
      status: 401,
      error: 'credential_invalid',
    });
    for (const origin of [demo.attacker, 'null', undefined]) {
      const options = { headers: { cookie }, ...(origin === undefined ? {} : { origin }) };
      expect(await Client.connect(url, options)).toEqual({ status: 403, error: 'origin_denied' });
    }
  });

  test('a message of one client is sent to all clients', async () => {
    const alice = await enter('alice');
    const bob = await enter('bob');
    alice.send({ type: 'say', room: 'hall', text: '<b>hello</b>' });
    const said = await bob.next();
    expect(said).toEqual({
      type: 'said',
      id: expect.any(Number),
      room: 'hall',
      user: 'alice',
      text: '<b>hello</b>',
      at: expect.any(Number),
    });
    expect(await alice.next()).toEqual(said);
    alice.close();
    bob.close();
  });

  test('a search finds the messages with its words, and with SQL no others', async () => {
    const client = await enter('alice');
    const search = async (query: string) => {
      client.send({ type: 'search', query });
      const { type, messages } = await client.next();
      expect(type).toBe('found');
      return (messages as { text: string }[]).map(({ text }) => text);
    };
    client.send({ type: 'say', room: 'hall', text: 'The Treasure is 100% safe' });
    await client.next();

    expect(await search('treasure')).toContain('The Treasure is 100% safe');
    const payloads = [
      "' OR '1'='1",
      "x' OR 1=1 --",
      "%' UNION SELECT 1, sql, 1, 1, 1 FROM sqlite_master --",
      "'); DELETE FROM messages; --",
      "'; DROP TABLE messages; --",
      '_',
      'T%e',
      '\u0000',
    ];
    for (const payload of payloads) expect(await search(payload)).toEqual([]);
    expect(await search('100%')).toEqual(['The Treasure is 100% safe']);
    expect(await search('treasure')).toContain('The Treasure is 100% safe');
    client.close();
  });

  test('an unknown or invalid message gets an error; one too big, or too many, close the connection', async () => {
    const client = await enter('alice');
    client.send({ type: 'promote' });
    expect(await client.next()).toMatchObject({ type: 'error', code: 'message_type_unknown' });
    client.send({ type: 'say', room: 'hall', text: 'x', admin: true });
    expect(await client.next()).toMatchObject({ type: 'error', code: 'message_invalid' });
    client.send({ type: 'say', room: 'hall', text: 5 });
    expect(await client.next()).toMatchObject({ type: 'error', code: 'message_invalid', path: '/text' });
    client.send({ type: 'say', room: 'hall', text: 'x'.repeat(17_000) });
    expect(await client.closed).toEqual({ code: 1009 });

    const flood = await enter('alice');
    for (let count = 0; count < 60; count++) flood.send({ type: 'search', query: 'x' });
    expect(await flood.closed).toEqual({ code: 4429 });
  });

  test('a ticket opens the chat once, at /chat, from the origin that asked for it', async () => {
    const { cookie } = await login(url, 'alice');
    const ticket = await ask(url, 'ticket', { cookie, origin: url });
    const client = await Client.open(`${url}/chat?ticket=${ticket}`, { origin: url });
    expect(await client.next()).toEqual({ type: 'welcome', user: 'alice' });
    client.close();
    expect(await Client.connect(`${url}/chat?ticket=${ticket}`, { origin: url })).toEqual(INVALID);

    const otherPage = await ask(url, 'ticket', { cookie, origin: url });
    expect(await Client.connect(`${url}/chat?ticket=${otherPage}`)).toEqual(INVALID);
    expect(await Client.connect(`${url}/chat?ticket=${otherPage}`, { origin: url })).toEqual(INVALID);
    const otherRoute = await ask(url, 'ticket', { cookie, origin: url });
    expect(await Client.connect(`${url}/chat/late?ticket=${otherRoute}`, { origin: url })).toEqual(INVALID);

    const noPage = await Client.open(`${url}/chat?ticket=${await ask(url, 'ticket', { cookie })}`);
    expect(await noPage.next()).toEqual({ type: 'welcome', user: 'alice' });
    noPage.close();
  });

  test('a session cookie is refused as a token, and a token as a cookie', async () => {
    const { cookie, token } = await login(url, 'alice');
    const session = cookie.replace('session=', '');
    expect(await Client.connect(url, { headers: { authorization: `Bearer ${session}` } })).toEqual(INVALID);
    expect(await Client.connect(url, { headers: { cookie: `session=${token}` }, origin: url })).toEqual(
      INVALID,
    );
    expect((await post(url, '/ticket', {}, { cookie: `session=${token}` })).status).toBe(401);
  });

  test('POST /ticket and /token get 401 without a session, and 403 from another site', async () => {
    const { cookie } = await login(url, 'alice');
    for (const path of ['/ticket', '/token']) {
      const nobody = await post(url, path, {});
      expect([nobody.status, await nobody.json()]).toEqual([
        401,
        { error: 'session_missing', message: 'Log in first.' },
      ]);
      const foreign: Record<string, string>[] = [
        { 'sec-fetch-site': 'same-site' },
        { origin: demo.attacker },
        { origin: 'null' },
        { origin: `${url}/` },
        { origin: demo.attacker, 'sec-fetch-site': 'same-origin' },
      ];
      for (const headers of foreign)
        expect((await raw(`${url}${path}`, { ...headers, cookie })).status).toBe(403);
    }
  });

  test('a connection at /chat/late needs a first message with a valid token, even with the cookie', async () => {
    const { cookie, token } = await login(url, 'alice');
    const client = await Client.open(`${url}/chat/late`, { headers: { cookie }, origin: url });
    client.send({ type: 'auth', token: `${token}x` });
    expect(await client.next()).toMatchObject({ type: 'error', code: 'credential_invalid' });
    client.send({ type: 'auth', token });
    expect(await client.next()).toEqual({ type: 'welcome', user: 'alice' });
    client.send({ type: 'say', room: 'hall', text: 'late, but here' });
    expect(await client.next()).toMatchObject({ type: 'said', user: 'alice', text: 'late, but here' });
    client.close();
  });

  test('a message at /chat/late before authentication closes the connection, and reaches no client', async () => {
    const { token } = await login(url, 'mallory');
    const witness = await enter('alice');
    const early = await Client.open(`${url}/chat/late`, { origin: url });
    early.send({ type: 'say', room: 'hall', text: 'too early' });
    early.send({ type: 'auth', token });
    expect(await early.closed).toEqual({ code: 4401 });
    witness.send({ type: 'search', query: 'too early' });
    expect(await witness.next()).toEqual({ type: 'found', messages: [] });
    witness.close();
  });

  test('an auth message renews an open connection with a token of its session only', async () => {
    const { cookie, token } = await login(url, 'alice');
    const mallory = await login(url, 'mallory');
    const sameUser = await login(url, 'alice');
    const client = await Client.open(url, { origin: url }, ['bearer', token]);
    expect(await client.next()).toEqual({ type: 'welcome', user: 'alice' });
    client.send({ type: 'auth', token: await ask(url, 'token', { cookie, origin: url }) });
    expect(await client.next()).toEqual({ type: 'auth_ok', expiresAt: expect.any(Number) });
    for (const other of [mallory, sameUser]) {
      client.send({ type: 'auth', token: other.token });
      expect(await client.next()).toMatchObject({ type: 'error', code: 'credential_invalid' });
    }
    client.send({ type: 'say', room: 'hall', text: 'still me' });
    expect(await client.next()).toMatchObject({ type: 'said', user: 'alice', text: 'still me' });
    client.close();
  });

  test('POST /logout closes the sockets of the session, refuses its credentials, and spares other sessions', async () => {
    const { cookie, token } = await login(url, 'alice');
    const ticket = await ask(url, 'ticket', { cookie, origin: url });
    const unused = await ask(url, 'ticket', { cookie, origin: url });
    const leaving = await Client.open(url, { headers: { cookie }, origin: url });
    const sameSession = await Client.open(url, { headers: { authorization: `Bearer ${token}` } });
    const byTicket = await Client.open(`${url}/chat?ticket=${ticket}`, { origin: url });
    const late = await Client.open(`${url}/chat/late`, { origin: url });
    late.send({ type: 'auth', token });
    expect(await late.next()).toEqual({ type: 'welcome', user: 'alice' });
    const other = await enter('alice');
    const response = await post(url, '/logout', {}, { cookie });
    expect(response.status).toBe(200);
    expect(response.headers.get('set-cookie')).toMatch(/^session=; Path=\/; Max-Age=0;/);
    for (const client of [leaving, sameSession, byTicket, late])
      expect(await client.closed).toEqual({ code: 4401 });
    other.send({ type: 'search', query: 'still here?' });
    expect(await other.next()).toEqual({ type: 'found', messages: [] });
    other.close();

    expect(await Client.connect(url, { headers: { cookie }, origin: url })).toEqual(INVALID);
    expect((await post(url, '/token', {}, { cookie })).status).toBe(401);
    const revoked = { status: 401, error: 'revoked' };
    expect(await Client.connect(url, { headers: { authorization: `Bearer ${token}` } })).toEqual(revoked);
    expect(await Client.connect(`${url}/chat?ticket=${unused}`, { origin: url })).toEqual(revoked);
    const again = await Client.open(`${url}/chat/late`, { origin: url });
    again.send({ type: 'auth', token });
    expect(await again.closed).toEqual({ code: 4401 });
  });

  test('GET /health counts connections, admissions, and denials by reason', async () => {
    const before = await numbers();
    const client = await enter('alice');
    await Client.connect(url);
    const after = await numbers();
    expect(after.admitted).toBe(before.admitted + 1);
    expect(after.connections).toBeGreaterThanOrEqual(1);
    expect(after.denied.credential_missing).toBe((before.denied.credential_missing ?? 0) + 1);
    client.close();
  });

  test.each([
    ['no user', '{}', 400, 'user_invalid'],
    ['a user that is no text', '{"user":{"$gt":""}}', 400, 'user_invalid'],
    ['an empty user', '{"user":""}', 400, 'user_invalid'],
    ['a user of markup', '{"user":"<script>"}', 400, 'user_invalid'],
    ['a user too long', JSON.stringify({ user: 'a'.repeat(33) }), 400, 'user_invalid'],
    ['one property more', '{"user":"alice","admin":true}', 400, 'user_invalid'],
    ['null', 'null', 400, undefined],
    ['what is not JSON', '{"user":', 400, 'body_invalid'],
    ['a body too big', JSON.stringify({ user: 'a'.repeat(5_000) }), 413, 'body_too_big'],
  ])('POST /login with %s is refused', async (_what, body, status, error) => {
    const response = await post(url, '/login', body);
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toContain('application/json');
    const answer = (await response.json()) as { error: string; message: string };
    expect(Object.keys(answer)).toEqual(['error', 'message']);
    if (error !== undefined) expect(answer.error).toBe(error);
  });

  test('POST /login without a body or with plain text is refused like one with a wrong body', async () => {
    for (const init of [{}, { body: 'user=alice', headers: { 'content-type': 'text/plain' } }]) {
      const response = await fetch(`${url}/login`, { method: 'POST', ...init });
      expect(response.status).toBe(400);
    }
  });

  test('POST /login and /logout from another site get 403', async () => {
    const { cookie } = await login(url, 'alice');
    const foreign: Record<string, string>[] = [
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'cross-site' },
      { origin: demo.attacker },
      { origin: 'null' },
    ];
    for (const headers of foreign) {
      expect((await raw(`${url}/logout`, { ...headers, cookie })).status).toBe(403);
      expect((await raw(`${url}/login`, headers)).status).toBe(403);
    }
    const client = await Client.open(url, { headers: { cookie }, origin: url });
    expect(await client.next()).toEqual({ type: 'welcome', user: 'alice' });
    client.close();
  });

  test('the page is served with a strict content security policy, and other paths get 404', async () => {
    const page = await fetch(url);
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(page.headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; script-src 'self'; style-src 'self';/,
    );
    const html = await page.text();
    const files = [...html.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path]) => path);
    expect(files.length).toBeGreaterThan(2);
    for (const path of files) expect((await fetch(`${url}${path}`)).status).toBe(200);
    for (const path of ['/policy.ts', '/..%2fpackage.json', '/public/index.html', '/%E0%A4%A'])
      expect((await fetch(`${url}${path}`)).status).toBeGreaterThanOrEqual(400);
  });

  test('GET /setup gives the user, the host and the origin of the attacker’s page', async () => {
    const { cookie } = await login(url, 'alice');
    const setup = async (headers: Record<string, string>) =>
      (await fetch(`${url}/setup`, { headers })).json();
    expect(await setup({ cookie })).toEqual({ host, attacker: demo.attacker, user: 'alice' });
    expect(await setup({ cookie: `${cookie}; session=x` })).toMatchObject({ user: null });
    expect(await setup({})).toMatchObject({ user: null });
  });

  test('GET /decisions streams a denial, without the address of the client', async () => {
    const response = await fetch(`${url}/decisions`);
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    await Client.connect(url, { headers: { cookie: 'session=x' }, origin: 'https://foreign.test' });
    let text = '';
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      text += Buffer.from(chunk).toString('utf8');
      if (text.includes('https://foreign.test')) break;
    }
    const shown = text
      .split('\n')
      .filter((line) => line.startsWith('data: '))
      .map((line) => JSON.parse(line.slice(6)) as { origin?: string })
      .find(({ origin }) => origin === 'https://foreign.test');
    expect(shown).toMatchObject({
      event: 'handshake.denied',
      reason: 'origin_denied',
      stage: 'origin',
      status: 403,
    });
    expect(text).not.toContain('127.0.0.1');
  });

  async function enter(user: string): Promise<Client> {
    const { cookie } = await login(url, user);
    const client = await Client.open(url, { headers: { cookie }, origin: url });
    expect(await client.next()).toEqual({ type: 'welcome', user });
    return client;
  }
});

test.each(HOSTS)(
  'on %s, auth_expiring comes before five minutes; who renews stays, others are closed with 4401',
  async (host) => {
    const clock = new ManualClock();
    const demo = await startDemo({ host, port: 0, tls: false, silent: true }, { clock });
    const { url } = demo;
    try {
      const { cookie, token } = await login(url, 'alice');
      const ticket = await ask(url, 'ticket', { cookie, origin: url });
      const late = await Client.open(`${url}/chat/late`, { origin: url });
      late.send({ type: 'auth', token });
      const leaving = [
        await Client.open(url, { origin: url }, ['bearer', token]),
        await Client.open(`${url}/chat?ticket=${ticket}`, { origin: url }),
        late,
      ];
      const renewing = await Client.open(url, { origin: url }, ['bearer', token]);
      for (const client of [...leaving, renewing])
        expect(await client.next()).toEqual({ type: 'welcome', user: 'alice' });

      const expiresAt = Math.floor(clock.now() / 1_000) + 300;
      clock.stall(271_000);
      for (const client of [...leaving, renewing])
        expect(await client.next()).toEqual({ type: 'auth_expiring', expiresAt });
      renewing.send({ type: 'auth', token: await ask(url, 'token', { cookie }) });
      expect(await renewing.next()).toEqual({ type: 'auth_ok', expiresAt: expiresAt + 271 });

      clock.advance(30_000);
      for (const client of leaving) expect(await client.closed).toEqual({ code: 4401 });
      renewing.send({ type: 'search', query: 'still here?' });
      expect(await renewing.next()).toEqual({ type: 'found', messages: [] });
      renewing.close();
    } finally {
      await demo.close();
    }
  },
);

test.each(HOSTS)(
  'on %s, after 200 wrong tickets of an address even a right token gets 429 auth_attempts',
  async (host) => {
    const demo = await startDemo({ host, port: 0, tls: false, silent: true });
    const { url } = demo;
    try {
      const { token } = await login(url, 'alice');
      const guess = () => Client.connect(`${url}/chat?ticket=guess`, { origin: url });
      const guesses = await Promise.all(Array.from({ length: 200 }, guess));
      expect(guesses).toEqual(Array.from({ length: 200 }, () => INVALID));
      const right = { headers: { authorization: `Bearer ${token}` } };
      // The budget regains 3.3 attempts a second, which a slow machine may notice.
      for (let round = 0; round < 40; round++) {
        await Promise.all([guess(), guess(), guess()]);
        const answer = await Client.connect(url, right);
        if (answer instanceof Client) answer.close();
        else return expect(answer).toEqual({ status: 429, error: 'auth_attempts' });
      }
      throw new Error('The right token was let in all the time.');
    } finally {
      await demo.close();
    }
  },
);

const INVALID = { status: 401, error: 'credential_invalid' };

/** `fetch` sets the `Sec-Fetch` headers and `Origin` itself, so these requests are plain ones. */
async function raw(url: string, headers: Record<string, string>): Promise<{ status: number | undefined }> {
  const { request } = await import('node:http');
  return new Promise((resolve, reject) => {
    const body = '{"user":"mallory"}';
    request(
      url,
      { method: 'POST', headers: { 'content-type': 'application/json', ...headers } },
      (response) => {
        response.resume();
        resolve({ status: response.statusCode });
      },
    )
      .on('error', reject)
      .end(body);
  });
}
