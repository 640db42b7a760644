import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { type AnyGuard, cookie, createGuard, custom, type GuardEvents, Type } from '@sallyport/core';
import type { BrowserContext, Frame, Page } from 'playwright-core';
import { generate } from 'selfsigned';
import { WebSocketServer } from 'ws';
import { hosts } from '../contract/hosts/index.ts';
import { applications } from '../support/applications.ts';
import { attempt, withCrossSiteCookies } from '../support/chromium.ts';
import { describeWith } from '../support/needs.ts';

const APP = 'app.example.test';

/** Where hostile pages are: the host in their URL, and whether they are in a sandboxed frame, which has no origin. */
const PAGES = [
  { what: 'another site', name: 'evil.test', sandboxed: false },
  { what: 'a sibling subdomain', name: 'sibling.example.test', sandboxed: false },
  { what: 'an IP address', name: '127.0.0.1', sandboxed: false },
  { what: 'a sandboxed frame', name: 'evil.test', sandboxed: true },
] as const;

type Where = (typeof PAGES)[number];

describeWith('chromium', 'a foreign page with the cookie of its visitor', (path) => {
  const { start } = applications();
  let tls: { key: string; cert: string };
  let server: Server;
  let port: number;
  let browser: Awaited<ReturnType<typeof withCrossSiteCookies>>;
  let context: BrowserContext;

  // One server for everything without a guard: hostile pages, the login, and the WebSocket of the control tests.
  beforeAll(async () => {
    const { private: key, cert } = await generate([{ name: 'commonName', value: APP }], { keyType: 'ec' });
    tls = { key, cert };
    server = createServer(tls, (request, response) => {
      response.setHeader('content-type', 'text/html');
      // SameSite=None: the browser sends the cookie for any page. Cookies do not depend on ports.
      if (request.url === '/login')
        response.setHeader('set-cookie', 'session=alice; Path=/; HttpOnly; Secure; SameSite=None');
      response.end('<!doctype html><title>A page</title>');
    });
    const unguarded = new WebSocketServer({ server });
    unguarded.on('connection', (socket, { headers }) =>
      socket.send(JSON.stringify({ cookie: headers.cookie, origin: headers.origin })),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
    browser = await withCrossSiteCookies(path);
    context = browser.context;
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    server?.closeAllConnections();
    await new Promise((resolve) => server?.close(resolve));
  });
  afterEach(async () => {
    await context.clearCookies();
    await Promise.all(
      context
        .pages()
        .slice(1)
        .map((page) => page.close()),
    );
  });

  const originOf = ({ name, sandboxed }: Where) => (sandboxed ? 'null' : `https://${name}:${port}`);

  /** A visitor who is logged in to the application and opens a hostile page. */
  async function caught(where: Where): Promise<Page | Frame> {
    const page = await context.newPage();
    await page.goto(`https://${APP}:${port}/login`);
    await page.goto(`https://${where.name}:${port}/`);
    if (!where.sandboxed) return page;
    await page.setContent('<iframe sandbox="allow-scripts" srcdoc="<p>A frame</p>"></iframe>');
    const frame = await (await page.waitForSelector('iframe')).contentFrame();
    if (frame === null) throw new Error('there is no frame');
    return frame;
  }

  test.each(PAGES)(
    'control: without a guard, a handshake from $what carries the cookie and opens',
    async (where) => {
      expect(await attempt(await caught(where), `wss://${APP}:${port}/`)).toEqual({
        opened: true,
        heard: { cookie: 'session=alice', origin: originOf(where) },
      });
    },
    30_000,
  );

  describe.each(hosts)('on $name', (host) => {
    const serve = async (guard: AnyGuard) => {
      const running = await start(host, {
        guard,
        tls,
        chat: (connection) => void connection.send('welcome', { user: connection.identity.subject }),
      });
      return { running, url: `wss://${APP}:${running.port}/chat` };
    };

    test.each(PAGES)(
      'a handshake from $what is refused as origin_denied',
      async (where) => {
        const guard = sessionGuard();
        const denied: GuardEvents['handshake.denied'][] = [];
        guard.on('handshake.denied', (event) => denied.push(event));
        const { running, url } = await serve(guard);
        expect(await attempt(await caught(where), url)).toEqual({ opened: false, heard: undefined });
        // Without the cookie the reason would be another one.
        expect(denied).toMatchObject([
          {
            reason: 'origin_denied',
            stage: 'origin',
            host: `${APP}:${running.port}`,
            origin: originOf(where),
          },
        ]);
        expect(running.handled).toEqual([]);
        expect(guard.stats()).toMatchObject({ connections: 0, admitted: 0 });
      },
      30_000,
    );

    test.each(PAGES.filter(({ sandboxed }) => !sandboxed))(
      'control: a policy that lists the origin of $what admits the handshake as the visitor',
      async (where) => {
        const { url } = await serve(sessionGuard([originOf(where)]));
        expect(await attempt(await caught(where), url)).toEqual({
          opened: true,
          heard: { type: 'welcome', user: 'alice' },
        });
      },
      30_000,
    );

    test('a handshake from the application’s own page is admitted', async () => {
      const { running, url } = await serve(sessionGuard());
      const page = await context.newPage();
      await page.goto(`https://${APP}:${port}/login`);
      await page.goto(`https://${APP}:${running.port}/plain`);
      expect(await attempt(page, url)).toEqual({ opened: true, heard: { type: 'welcome', user: 'alice' } });
    }, 30_000);
  });
});

/** Accepts only a session cookie. Without `origins` only the same origin is admitted. */
function sessionGuard(origins?: readonly string[]): AnyGuard {
  return createGuard({
    hosts: [APP],
    ...(origins && { origins }),
    auth: [
      custom({
        scheme: 'session',
        from: [cookie('session')],
        authenticate: ({ credential }) => ({ subject: credential as string }),
      }),
    ],
    messages: { say: Type.Object({ text: Type.String() }) },
    logger: false,
  });
}
