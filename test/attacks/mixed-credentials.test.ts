// A1: a client, or a proxy in front of it, sends more than one credential. An explicit one counts before an ambient one, a
// wrong one is never replaced by another, and two explicit ones are refused.
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

  test('a forged bearer token beside a valid cookie gets 401', async () => {
    const { app } = await serve();
    const headers = { Origin: APP, Cookie: `token=${await token()}`, Authorization: `Bearer ${FORGED}` };
    expect(verdict(await refused(app, { headers }))).toBe('401 credential_invalid');
  });

  test('a valid bearer token beside the cookie of another subject gives the subject of the bearer token', async () => {
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

  test('two bearer tokens get 400 as two headers and 401 as one', async () => {
    const { app } = await serve();
    const [first, second] = [`Bearer ${await token()}`, `Bearer ${await token({ sub: 'bob' })}`];
    expect(verdict(await refused(app, { headers: { Origin: APP, Authorization: [first, second] } }))).toBe(
      '400 request_malformed',
    );
    const joined = { Origin: APP, Authorization: `${first}, ${second}` };
    expect(verdict(await refused(app, { headers: joined }))).toBe('401 credential_invalid');
  });

  test('a bearer token beside a ticket gets 401, and the ticket can still be used', async () => {
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

  test('a forged ticket beside a valid cookie gets 401', async () => {
    const { app } = await serve();
    const headers = { Origin: APP, Cookie: `token=${await token()}` };
    expect(verdict(await refused(app, { target: '/chat?ticket=forged', headers }))).toBe(
      '401 credential_invalid',
    );
  });

  test('two tickets in one handshake get 401', async () => {
    const { app, ticket } = await serve();
    const target = `/chat?ticket=${await ticket()}&ticket=${await ticket()}`;
    expect(verdict(await refused(app, { target, headers: { Origin: APP } }))).toBe(
      '401 credential_ambiguous',
    );
  });

  test('a token and a ticket in one first message close with 4401, and the ticket can still be used', async () => {
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

  test('a forged token in the handshake gets 401 although a valid first message follows', async () => {
    const { app } = await serve({ firstMessage: true, auth: [chatJwt([bearer()])] });
    const headers = { Origin: APP, Authorization: `Bearer ${FORGED}` };
    const after = authenticate({ token: await token() });
    expect(verdict(await refused(app, { headers, after }))).toBe('401 credential_invalid');
    expect(app.handled).toEqual([]);
  });
});
