import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Demo, startDemo } from '../demo.ts';
import { HOSTS } from '../server/arguments.ts';
import { Client, login, post } from './support/client.ts';

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

  test('gives who logs in a cookie that scripts cannot read, and a token of five minutes', async () => {
    const response = await post(url, '/login', { user: 'alice' });
    expect(response.status).toBe(200);
    expect(response.headers.get('set-cookie')).toMatch(
      /^session=[\w-]{43}; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax$/,
    );
    const { token } = (await response.json()) as { token: string };
    const claims = JSON.parse(Buffer.from(token.split('.')[1] as string, 'base64url').toString()) as {
      [claim: string]: unknown;
    };
    expect(claims).toMatchObject({ sub: 'alice', exp: (claims.iat as number) + 300 });
  });

  test('lets in the cookie, the Authorization header and the subprotocol, each by its user', async () => {
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

  test('refuses before the 101 who has no credential, a wrong one, or the wrong page', async () => {
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

  test('tells everybody what one says', async () => {
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

  test('finds what was said, and with SQL no row that was not asked for', async () => {
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

  test('answers messages that the policy does not name, and closes for size and rate', async () => {
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

  test('ends a session with its sockets, its cookie and its token, and no other one', async () => {
    const { cookie, token } = await login(url, 'alice');
    const leaving = await Client.open(url, { headers: { cookie }, origin: url });
    const sameSession = await Client.open(url, { headers: { authorization: `Bearer ${token}` } });
    const other = await enter('alice');
    const response = await post(url, '/logout', {}, { cookie });
    expect(response.status).toBe(200);
    expect(response.headers.get('set-cookie')).toMatch(/^session=; Path=\/; Max-Age=0;/);
    expect(await leaving.closed).toEqual({ code: 4401 });
    expect(await sameSession.closed).toEqual({ code: 4401 });
    other.send({ type: 'search', query: 'still here?' });
    expect(await other.next()).toEqual({ type: 'found', messages: [] });
    other.close();

    expect(await Client.connect(url, { headers: { cookie }, origin: url })).toEqual({
      status: 401,
      error: 'credential_invalid',
    });
    expect(await Client.connect(url, { headers: { authorization: `Bearer ${token}` } })).toEqual({
      status: 403,
      error: 'not_authorized',
    });
  });

  test('counts connections, admissions, and denials by reason', async () => {
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
  ])('answers a login with %s', async (_what, body, status, error) => {
    const response = await post(url, '/login', body);
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toContain('application/json');
    const answer = (await response.json()) as { error: string; message: string };
    expect(Object.keys(answer)).toEqual(['error', 'message']);
    if (error !== undefined) expect(answer.error).toBe(error);
  });

  test('answers a login without any body, or with text, as it answers a wrong one', async () => {
    for (const init of [{}, { body: 'user=alice', headers: { 'content-type': 'text/plain' } }]) {
      const response = await fetch(`${url}/login`, { method: 'POST', ...init });
      expect(response.status).toBe(400);
    }
  });

  test('lets no other site log its visitors in or out', async () => {
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

  test('serves its page under a strict content security policy, and nothing beside its files', async () => {
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

  test('tells the page who is logged in, what serves it, and where the attacker is', async () => {
    const { cookie } = await login(url, 'alice');
    const setup = async (headers: Record<string, string>) =>
      (await fetch(`${url}/setup`, { headers })).json();
    expect(await setup({ cookie })).toEqual({ host, attacker: demo.attacker, user: 'alice' });
    expect(await setup({ cookie: `${cookie}; session=x` })).toMatchObject({ user: null });
    expect(await setup({})).toMatchObject({ user: null });
  });

  test('shows decisions as they are made', async () => {
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
