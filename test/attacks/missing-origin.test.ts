// H5: a missing or null Origin gets in only with a credential that no browser attaches by itself.
import { describe, expect, test } from '@jest/globals';
import { anonymous, bearer, cookie, custom, query, subprotocol, tickets } from '@sallyport/core';
import { hosts } from '../contract/hosts/index.ts';
import { applications, verdict } from '../support/applications.ts';
import { authenticate } from '../support/auth-frames.ts';
import { chatGuard, chatJwt, type PolicyOverrides, token } from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';
import type { HandshakeOptions } from '../support/wire.ts';

const user = custom({ scheme: 'device', authenticate: () => ({ subject: 'device' }) });
const header = custom({ scheme: 'device', ambient: false, authenticate: () => ({ subject: 'device' }) });

interface Row {
  readonly credential: string;
  readonly auth: PolicyOverrides['auth'];
  readonly present: (text: string) => HandshakeOptions;
  readonly allowed: boolean;
}
const inHeader = (text: string): HandshakeOptions => ({ headers: { Authorization: `Bearer ${text}` } });
const rows: readonly Row[] = [
  { credential: 'a bearer token', auth: [chatJwt([bearer()])], present: inHeader, allowed: true },
  {
    credential: 'a token offered as a subprotocol',
    auth: [chatJwt([subprotocol()])],
    present: (text) => ({ headers: { 'Sec-WebSocket-Protocol': `bearer, ${text}` } }),
    allowed: true,
  },
  {
    credential: 'a token in the query',
    auth: [chatJwt([query('token')])],
    present: (text) => ({ target: `/chat?token=${text}` }),
    allowed: true,
  },
  {
    credential: 'a custom credential with ambient: false',
    auth: [header],
    present: () => ({}),
    allowed: true,
  },
  {
    credential: 'a bearer token that a proxy injects',
    auth: [chatJwt([bearer({ ambient: true })])],
    present: inHeader,
    allowed: false,
  },
  {
    credential: 'a cookie',
    auth: [chatJwt([cookie('token')])],
    present: (text) => ({ headers: { Cookie: `token=${text}` } }),
    allowed: false,
  },
  { credential: 'a custom credential', auth: [user], present: () => ({}), allowed: false },
  { credential: 'anonymous()', auth: [anonymous()], present: () => ({}), allowed: false },
];

describe.each(hosts)('$name', (host) => {
  const { start, open, refused } = applications();

  test('anonymous({ programs: true }) admits a client without an Origin, and no page that is not listed', async () => {
    const auth = [chatJwt([cookie('token')]), anonymous({ programs: true })] as never;
    const app = await start(host, { guard: chatGuard({ auth }) });
    await open(app, {});
    const handshakes: HandshakeOptions[] = [
      { headers: { Origin: 'null' } },
      { headers: { Origin: 'https://evil.example' } },
      // What a browser attaches by itself still needs an origin.
      { headers: { Cookie: `token=${await token()}` } },
    ];
    for (const options of handshakes) expect(verdict(await refused(app, options))).toBe('403 origin_denied');
  });

  test('beside another authenticator without sources, a client without an Origin gets 403', async () => {
    const auth = [user, anonymous({ programs: true })] as never;
    const app = await start(host, { guard: chatGuard({ auth }) });
    expect(verdict(await refused(app, {}))).toBe('403 origin_denied');
  });

  describe.each([
    ['no Origin', {}],
    ['Origin: null', { Origin: 'null' }],
  ])('%s', (_what, origin) => {
    test.each(rows)('with $credential: admitted is $allowed', async ({ auth, present, allowed }) => {
      const app = await start(host, { guard: chatGuard({ auth: auth as never }) });
      const { headers, ...rest } = present(await token());
      const options = { ...rest, headers: { ...headers, ...origin } };
      if (allowed) await open(app, options);
      else expect(verdict(await refused(app, options))).toBe('403 origin_denied');
    });
  });

  describe.each([
    ['no Origin', null],
    ['Origin: null', 'null'],
  ])('%s, and a credential that no page can have', (_what, Origin) => {
    const auth = [chatJwt([bearer()]), tickets()] as never;
    const headers = { Origin };

    test("a ticket for origin 'any' is admitted, and one for a page's origin gets 401", async () => {
      const guard = chatGuard({ auth });
      const app = await start(host, { guard });
      const issue = (origin: string) => guard.tickets.issue({ subject: 'device', origin, route: '/chat' });
      await open(app, { target: `/chat?ticket=${await issue('any')}`, headers });
      const bound = await issue('https://app.example.com');
      const answer = await refused(app, { target: `/chat?ticket=${bound}`, headers });
      expect(verdict(answer)).toBe('401 credential_invalid');
    });

    test("a first message with a token or a ticket for origin 'any' opens the connection", async () => {
      const guard = chatGuard({ auth, firstMessage: true });
      const app = await start(host, { guard });
      const ticket = await guard.tickets.issue({ subject: 'device', origin: 'any', route: '/chat' });
      for (const [before, credential] of [{ token: await token() }, { ticket }].entries()) {
        const wire = await open(app, { headers });
        expect(app.handled).toHaveLength(before);
        wire.send(authenticate(credential));
        await eventually(() => app.handled.length === before + 1, 'the handler');
      }
      const bound = await guard.tickets.issue({
        subject: 'device',
        origin: 'https://app.example.com',
        route: '/chat',
      });
      const wire = await open(app, { headers });
      wire.send(authenticate({ ticket: bound }));
      expect(JSON.parse((await wire.messages(1))[0] ?? '')).toMatchObject({ code: 'credential_invalid' });
    });

    test('a handshake with a cookie gets 403 although policy.firstMessage is set', async () => {
      const guard = chatGuard({ auth: [chatJwt([cookie('token')]), tickets()] as never, firstMessage: true });
      const app = await start(host, { guard });
      const answer = await refused(app, { headers: { ...headers, Cookie: `token=${await token()}` } });
      expect(verdict(answer)).toBe('403 origin_denied');
    });
  });

  test('a foreign origin gets 403 although a valid first message follows', async () => {
    const guard = chatGuard({ auth: [chatJwt([bearer()])] as never, firstMessage: true });
    const app = await start(host, { guard });
    const after = authenticate({ token: await token() });
    const answer = await refused(app, { headers: { Origin: 'https://evil.example' }, after });
    expect(verdict(answer)).toBe('403 origin_denied');
    expect(app.handled).toEqual([]);
  });

  test('a wrong bearer token beside a valid cookie gets 401', async () => {
    const app = await start(host, { guard: chatGuard() });
    const headers = { Authorization: 'Bearer wrong', Cookie: `token=${await token()}` };
    expect(verdict(await refused(app, { headers }))).toBe('401 credential_invalid');
  });

  test('two cookies of the same name get 401, since a sibling subdomain can set the second one', async () => {
    const app = await start(host, { guard: chatGuard() });
    const text = await token();
    const headers = { Origin: 'https://app.example.com', Cookie: `token=${text}; token=${text}` };
    expect(verdict(await refused(app, { headers }))).toBe('401 credential_ambiguous');
  });
});
