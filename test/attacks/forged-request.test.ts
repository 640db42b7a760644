// H4: an injected link, or a page on a listed sibling host, makes a request with the right origin and the visitor's cookie. An
// anti-forgery token of the session stops it.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { type AnyGuard, bearer, cookie } from '@sallyport/core';
import { hosts } from '../contract/hosts/index.ts';
import { applications, verdict } from '../support/applications.ts';
import { APP, chatGuard, chatJwt, SECRET, token } from '../support/chat-policy.ts';
import { eventually } from '../support/eventually.ts';

const antiForgery = (session: string | undefined): string =>
  createHmac('sha256', SECRET).update(`csrf ${session}`).digest('base64url');
const verify = ({
  token: given,
  identity,
}: {
  token: string;
  identity: { session?: string | undefined };
}) => {
  const [a, b] = [given, antiForgery(identity.session)].map((text) => Buffer.from(text));
  return a?.length === b?.length && timingSafeEqual(a as Buffer, b as Buffer);
};

describe.each(hosts)('$name', (host) => {
  const { start, open, refused } = applications();
  const serve = async () => {
    const guard: AnyGuard = chatGuard({
      auth: [chatJwt([cookie('token'), bearer()])] as never,
      csrf: { query: 'csrf', verify },
    });
    return { guard, app: await start(host, { guard }) };
  };
  const withCookie = async (query: string) => ({
    target: `/chat${query}`,
    headers: { Origin: APP, Cookie: `token=${await token({ sid: 's1' })}` },
  });

  test.each([
    ['no token', ''],
    ['an empty token', '?csrf='],
    ['the token of another session', `?csrf=${antiForgery('s2')}`],
    ['two tokens, one of them right', `?csrf=x&csrf=${antiForgery('s1')}`],
  ])('a cookie with %s gets 403 csrf_denied', async (_what, query) => {
    const { app } = await serve();
    expect(verdict(await refused(app, await withCookie(query)))).toBe('403 csrf_denied');
    expect(app.handled).toEqual([]);
  });

  test('a cookie with the right anti-forgery token is admitted, and the token is removed from the URL', async () => {
    const { app } = await serve();
    await open(app, await withCookie(`?room=7&csrf=${antiForgery('s1')}`));
    await eventually(() => app.handled.length === 1, 'the handler');
    expect([...app.handled, ...app.logged].join()).not.toContain(antiForgery('s1'));
    expect(app.handled[0]).toContain('room=7');
  });

  test('a bearer token in the Authorization header needs no anti-forgery token', async () => {
    const { app } = await serve();
    await open(app, { headers: { Origin: APP, Authorization: `Bearer ${await token()}` } });
  });
});
