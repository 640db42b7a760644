import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import { expect, test } from '@jest/globals';
import { upgrade, websocket } from '@sallyport/express';
import express from 'express';
import { ManualClock } from '../../packages/core/test/support/manual-clock.ts';
import { servers } from '../support/served.ts';
import { byStore, loginRoutes, sessions } from './hosts/express.ts';
import { APP, chat, sessionGuard } from './hosts/host.ts';

const { listen, dial, refused } = servers();

/** A listed page of the same site. A script that is injected into it sends the visitor's cookie. */
const BLOG = 'https://blog.example.com';
const KEY = 'what the anti-forgery tokens of the tests are made with';

/** Derived from the session, so that no state is kept and the token of another session is wrong. */
const tokenOf = (session: string): string => createHmac('sha256', KEY).update(session).digest('base64url');

function isTokenOf(session: string, token: string): boolean {
  const [expected, given] = [Buffer.from(tokenOf(session)), Buffer.from(token)];
  return expected.length === given.length && timingSafeEqual(expected, given);
}

async function start() {
  const clock = new ManualClock();
  const seen: (string | undefined)[] = [];
  const guard = sessionGuard(byStore, clock, {
    origins: [APP, 'https://*.example.com'],
    csrf: {
      query: 'csrf',
      verify: ({ token, identity }) => identity.session !== undefined && isTokenOf(identity.session, token),
    },
  });
  const app = express();
  app.use(sessions().middleware);
  loginRoutes(app, clock);
  app.get('/csrf', (request, response) => void response.send(tokenOf(request.sessionID)));
  app.get(
    '/chat',
    websocket(guard, (connection, request) => {
      seen.push(request.url);
      chat(connection, []);
    }),
  );
  const server = createServer(app);
  upgrade(server, app, guard);
  const port = await listen(server);
  const login = async () => {
    const url = `http://127.0.0.1:${port}`;
    const { headers } = await fetch(`${url}/login?user=alice`, { method: 'POST' });
    const Cookie = headers.getSetCookie()[0]?.split(';')[0] as string;
    const token = await (await fetch(`${url}/csrf`, { headers: { Cookie } })).text();
    return { Cookie, token };
  };
  const handshake = (query: string, Cookie: string, Origin: string) => ({
    target: `/chat${query}`,
    headers: { Origin, Cookie },
  });
  return {
    guard,
    seen,
    login,
    answer: async (query: string, Cookie: string, Origin = APP) =>
      (await dial(port)).handshake(handshake(query, Cookie, Origin)).head(),
    refusal: (query: string, Cookie: string, Origin = APP) => refused(port, handshake(query, Cookie, Origin)),
  };
}

test("a cookie with its session's anti-forgery token is admitted, and the token is removed from the URL", async () => {
  const { login, answer, seen } = await start();
  const { Cookie, token } = await login();
  expect((await answer(`?room=1&csrf=${token}`, Cookie)).status).toBe(101);
  expect(seen).toEqual(['/chat?room=1']);
});

test('a cookie with a missing, empty, altered, foreign or doubled anti-forgery token gets 403 from every listed page', async () => {
  const { login, refusal, seen } = await start();
  const { Cookie, token } = await login();
  const other = await login();
  const denied = { status: 403, body: expect.stringContaining('csrf_denied') };
  const altered = `${token.slice(0, -2)}${token.endsWith('AA') ? 'BB' : 'AA'}`;
  for (const query of [
    '',
    '?csrf=',
    `?csrf=${altered}`,
    `?csrf=${other.token}`,
    `?csrf=${token}&csrf=${token}`,
  ]) {
    for (const origin of [APP, BLOG]) expect(await refusal(query, Cookie, origin)).toMatchObject(denied);
  }
  expect(seen).toEqual([]);
});

test('a handshake without a session gets 401 although it has an anti-forgery token', async () => {
  const { login, refusal } = await start();
  const { token } = await login();
  expect(await refusal(`?csrf=${token}`, '')).toMatchObject({
    status: 401,
    body: expect.stringContaining('credential_missing'),
  });
});
