import { describe, expect, test } from '@jest/globals';
import { ManualClock } from '../../packages/core/test/support/manual-clock.ts';
import { servers } from '../support/served.ts';
import { frame, type Wire } from '../support/wire.ts';
import { APP } from './hosts/host.ts';
import { hosts } from './hosts/index.ts';

const say = (text: string): Buffer => frame(JSON.stringify({ type: 'say', text }));
const remove = (id: string): Buffer => frame(JSON.stringify({ type: 'remove', id }));

describe.each(hosts)('$name', (host) => {
  const { listen, dial, open, refused } = servers();

  const start = async () => {
    const clock = new ManualClock();
    const application = await host.start(clock);
    const port = await listen(application.server);
    const post = (path: string, Cookie = ''): Promise<Response> =>
      fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', headers: { Cookie } });
    return {
      ...application,
      clock,
      port,
      post,
      login: async (user = 'alice') => cookiesOf((await post(`/login?user=${user}`)).headers.getSetCookie()),
      chat: (Cookie: string) => open(port, { headers: { Origin: APP, Cookie } }),
      refusal: (headers: Record<string, string>) => refused(port, { headers: { Origin: APP, ...headers } }),
    };
  };

  test('a signed session cookie gives the identity; an altered, ended or missing one, or a foreign page, is refused', async () => {
    const { login, chat, refusal, post, guard } = await start();
    const cookie = await login();
    const wire = await chat(cookie);
    wire.send(say('hello'));
    expect(await repliesOf(wire, 1)).toEqual([{ type: 'said', text: 'hello', user: 'alice' }]);
    const [connection] = guard.connections();
    expect(connection?.identity).toMatchObject({ scheme: 'session', subject: 'alice' });
    expect(cookie).toContain(connection?.identity.session);

    const forged = cookie.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'));
    const missing = { status: 401, body: expect.stringContaining('credential_missing') };
    expect(await refusal({})).toMatchObject(missing);
    expect(await refusal({ Cookie: forged })).toMatchObject(missing);
    expect(await refusal({ Cookie: cookie, Origin: 'https://evil.example' })).toMatchObject({
      status: 403,
      body: expect.stringContaining('origin_denied'),
    });
    await post('/logout', cookie);
    expect(await refusal({ Cookie: cookie })).toMatchObject(missing);
    expect(guard.stats().admitted).toBe(1);
  });

  test('a refused handshake creates no session and sets no cookie', async () => {
    const { refusal, stored } = await start();
    const { status, raw } = await refusal({});
    expect([status, /^set-cookie:/im.test(raw)]).toEqual([401, false]);
    expect(await stored()).toBe(0);
  });

  test('the 101 carries the renewed cookie of a rolling session', async () => {
    const { login, port, stored } = await start();
    const Cookie = await login();
    const wire = await dial(port);
    const { status, raw } = await wire.handshake({ headers: { Origin: APP, Cookie } }).head();
    expect(status).toBe(101);
    expect(cookiesOf(setCookies(raw))).toBe(Cookie);
    expect(setCookies(raw)[0]).toMatch(/; expires=/i);
    expect(await stored()).toBe(1);
  });

  test('after a logout the connection closes at the next recheck', async () => {
    const { login, chat, post, clock } = await start();
    const cookie = await login();
    const wire = await chat(cookie);
    await post('/logout', cookie);
    clock.advance(29_000);
    wire.send(say('still there'));
    await wire.messages(1);
    clock.advance(2_000);
    expect(await wire.closeCode()).toBe(4401);
  });

  test('a connection stays open as long as each recheck finds its session', async () => {
    const { login, chat, post, clock } = await start();
    const cookie = await login();
    const wire = await chat(cookie);
    for (let i = 1; i <= 3; i++) {
      clock.advance(31_000);
      wire.send(remove(String(i)));
      await wire.messages(i);
    }
    await post('/logout', cookie);
    clock.advance(31_000);
    expect(await wire.closeCode()).toBe(4401);
  });

  test('with recheck: true, a message after a logout is not handled', async () => {
    const { login, chat, post, removed } = await start();
    const cookie = await login();
    const wire = await chat(cookie);
    wire.send(remove('1'));
    expect(await repliesOf(wire, 1)).toEqual([{ type: 'removed', id: '1' }]);
    await post('/logout', cookie);
    wire.send(remove('2'));
    expect(await wire.closeCode()).toBe(4401);
    expect(removed).toEqual(['1']);
  });

  test('while the session store fails, messages with recheck get auth_unavailable, and later the connection ends', async () => {
    const { login, chat, breakStore, removed, clock } = await start();
    const wire = await chat(await login());
    breakStore();
    // More than limits.violations allows, since a failing store is not the client's fault.
    for (let i = 1; i <= 12; i++) wire.send(remove(String(i)));
    const replies = await repliesOf(wire, 12);
    expect(new Set(replies.map((reply) => (reply as { code: string }).code))).toEqual(
      new Set(['auth_unavailable']),
    );
    expect(removed).toEqual([]);
    clock.advance(31_000);
    expect(await wire.closeCode()).toBe(1013);
  });

  test('guard.revoke({ session }) closes the sockets of that session at once, and no others', async () => {
    const { login, chat, refusal, guard, clock } = await start();
    const [one, other, bob] = [await login(), await login(), await login('bob')];
    const wires = [await chat(one), await chat(one), await chat(other), await chat(bob)] as const;
    const session = [...guard.connections()][0]?.identity.session as string;
    expect(one).toContain(session);
    await guard.revoke({ session });
    expect([await wires[0].closeCode(), await wires[1].closeCode()]).toEqual([4401, 4401]);
    for (const wire of [wires[2], wires[3]]) {
      wire.send(say('still here'));
      expect(await wire.messages(1)).toHaveLength(1);
    }
    // The session store still has the session: only the guard's list of revocations refuses it.
    expect(await refusal({ Cookie: one })).toMatchObject({
      status: 401,
      body: expect.stringContaining('revoked'),
    });
    clock.advance(1_000);
    await chat(await login());
  });
});

/** What a browser sends back: `name=value` of each cookie. */
function cookiesOf(lines: readonly string[]): string {
  return lines.map((line) => line.split(';')[0]).join('; ');
}

function setCookies(raw: string): string[] {
  return [...raw.matchAll(/^set-cookie: (.*?)\r$/gim)].map(([, line]) => line as string);
}

async function repliesOf(wire: Wire, count: number): Promise<unknown[]> {
  return (await wire.messages(count)).map((text) => JSON.parse(text));
}
