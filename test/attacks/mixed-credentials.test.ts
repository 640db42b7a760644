// A1: a client, or somebody in front of it, brings more than one credential. Explicit beats ambient, a wrong one never
// falls through to another, and of two explicit ones neither counts.
import { describe, expect, test } from '@jest/globals';
import { type AnyGuard, bearer, cookie, tickets } from '@sallyport/core';
import { hosts } from '../contract/hosts/index.ts';
import { applications, verdict } from '../support/applications.ts';
import { authenticate, send } from '../support/auth-frames.ts';
import { APP, chatGuard, chatJwt, token } from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';

const FORGED = `${Buffer.from('{"alg":"HS256"}').toString('base64url')}.e30.AAAA`;

describe.each(hosts)('$name', (host) => {
  const { start, open, refused } = applications();
  const serve = async (options: object = {}) => {
    const guard: AnyGuard = chatGuard({
      auth: [chatJwt([bearer(), cookie('token')]), tickets()] as never,
      ...options,
    });
    const subjects: string[] = [];
    const app = await start(host, {
      guard,
      chat: (connection) => void subjects.push(connection.identity.subject),
    });
    const ticket = () => guard.tickets.issue({ subject: 'ticket', origin: APP, route: '/chat' });
    return { app, guard, subjects, ticket };
  };

  test('a forged bearer beside a good cookie is refused', async () => {
    const { app } = await serve();
    const headers = { Origin: APP, Cookie: `token=${await token()}`, Authorization: `Bearer ${FORGED}` };
    expect(verdict(await refused(app, { headers }))).toBe('401 credential_invalid');
  });

  test('a good bearer beside a forged cookie is who it says', async () => {
    const { app, subjects } = await serve();
    const headers = {
      Origin: APP,
      Cookie: `token=${await token({ sub: 'cookie' })}`,
      Authorization: `Bearer ${await token({ sub: 'bearer' })}`,
    };
    await open(app, { headers });
    await eventually(() => subjects.length === 1, 'the handler');
    expect(subjects).toEqual(['bearer']);
  });

  test('two bearers are refused, as two headers and as one', async () => {
    const { app } = await serve();
    const [first, second] = [`Bearer ${await token()}`, `Bearer ${await token({ sub: 'bob' })}`];
    expect(verdict(await refused(app, { headers: { Origin: APP, Authorization: [first, second] } }))).toBe(
      '400 request_malformed',
    );
    const joined = { Origin: APP, Authorization: `${first}, ${second}` };
    expect(verdict(await refused(app, { headers: joined }))).toBe('401 credential_invalid');
  });

  test('a bearer beside a ticket is refused, and the ticket is not spent on it', async () => {
    const { app, ticket, subjects } = await serve();
    const target = `/chat?ticket=${await ticket()}`;
    for (const Authorization of [`Bearer ${await token()}`, `Bearer ${FORGED}`]) {
      const answer = await refused(app, { target, headers: { Origin: APP, Authorization } });
      expect(verdict(answer)).toBe('401 credential_ambiguous');
    }
    await open(app, { target, headers: { Origin: APP } });
    await eventually(() => subjects.length === 1, 'the handler');
    expect(subjects).toEqual(['ticket']);
  });

  test('a forged ticket beside a good cookie is refused', async () => {
    const { app } = await serve();
    const headers = { Origin: APP, Cookie: `token=${await token()}` };
    expect(verdict(await refused(app, { target: '/chat?ticket=forged', headers }))).toBe(
      '401 credential_invalid',
    );
  });

  test('two tickets are refused', async () => {
    const { app, ticket } = await serve();
    const target = `/chat?ticket=${await ticket()}&ticket=${await ticket()}`;
    expect(verdict(await refused(app, { target, headers: { Origin: APP } }))).toBe(
      '401 credential_ambiguous',
    );
  });

  test('two credentials in one first message are refused, and neither is looked at', async () => {
    const { app, ticket, subjects } = await serve({
      firstMessage: true,
      auth: [chatJwt([bearer()]), tickets()],
    });
    const unspent = await ticket();
    const both = await open(app, { headers: { Origin: APP } });
    both.send(send({ type: 'auth', token: await token(), ticket: unspent }));
    expect(await both.closeCode()).toBe(4401);
    const wire = await open(app, { headers: { Origin: APP } });
    wire.send(authenticate({ ticket: unspent }));
    await eventually(() => subjects.length === 1, 'the handler');
    expect(subjects).toEqual(['ticket']);
  });

  test('a wrong credential in the handshake is not made good by a first message', async () => {
    const { app } = await serve({ firstMessage: true, auth: [chatJwt([bearer()])] });
    const headers = { Origin: APP, Authorization: `Bearer ${FORGED}` };
    const after = authenticate({ token: await token() });
    expect(verdict(await refused(app, { headers, after }))).toBe('401 credential_invalid');
    expect(app.handled).toEqual([]);
  });
});
