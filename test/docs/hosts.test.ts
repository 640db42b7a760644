import type { Server } from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { SignJWT } from 'jose';
import { WebSocket } from 'ws';
import { readPages, snippetsOf } from './markdown.ts';
import { layOut, type Workbench } from './workbench.ts';

// Runs the applications of the pages as they are, on another port, and connects to them as a browser would.
const SECRET = 'a shared secret of the tests, at least 32 bytes';
const APP = 'https://app.example.com';
const snippets = readPages()
  .flatMap(snippetsOf)
  .filter(({ language }) => language === 'ts');
const starts = snippets.filter(({ code }) => /\blisten\(/.test(code) && !code.includes('process.argv'));

let workbench: Workbench;
const listen = net.Server.prototype.listen;
const servers: net.Server[] = [];
const printed: unknown[][] = [];
const { TOKEN_SECRET } = process.env;

beforeAll(() => {
  process.env.TOKEN_SECRET = SECRET;
  workbench = layOut(snippets);
});

afterAll(() => {
  if (TOKEN_SECRET === undefined) delete process.env.TOKEN_SECRET;
  else process.env.TOKEN_SECRET = TOKEN_SECRET;
  workbench.remove();
});

beforeEach(() => {
  jest.spyOn(console, 'warn').mockImplementation(() => {});
  jest.spyOn(console, 'log').mockImplementation((...line) => void printed.push(line));
  net.Server.prototype.listen = function (this: net.Server, ...args: unknown[]) {
    servers.push(this);
    const anyPort = args.map((arg) => (arg === 3000 ? 0 : isFixed(arg) ? { ...arg, port: 0 } : arg));
    return (listen as (...all: unknown[]) => net.Server).apply(this, anyPort);
  } as typeof listen;
});

afterEach(async () => {
  jest.restoreAllMocks();
  printed.length = 0;
  net.Server.prototype.listen = listen;
  await Promise.all(
    servers.splice(0).map((server) => {
      (server as Server).closeAllConnections?.();
      return new Promise((done) => server.close(done));
    }),
  );
});

test('the README has an application for each host', () => {
  const names = starts.filter(({ page }) => page === 'README.md').map(({ file }) => file);
  expect(names).toEqual(['fastify.ts', 'express.ts', 'koa.ts', 'ws.ts']);
});

test.each(starts)(
  '$page:$line admits its own page and refuses a foreign one',
  async ({ page, file, line }) => {
    await import(workbench.file(page, file ?? `line-${line}.ts`));
    const port = await portOf(servers[0] as net.Server);
    const headers = { Authorization: `Bearer ${await token()}` };

    const socket = new WebSocket(`ws://localhost:${port}/chat`, { origin: APP, headers });
    await once(socket, 'open');
    socket.send(JSON.stringify({ type: 'say', room: 'lobby', text: 'hello' }));
    const [said] = await once(socket, 'message');
    expect(JSON.parse(String(said))).toMatchObject({ type: 'said', text: 'hello' });
    socket.send(JSON.stringify({ type: 'say', room: 'lobby', text: 'hello', admin: true }));
    const [refused] = await once(socket, 'message');
    expect(JSON.parse(String(refused))).toMatchObject({ type: 'error', code: 'message_invalid' });
    socket.terminate();

    for (const [origin, sent, status] of [
      ['https://evil.example', headers, 403],
      [APP, {}, 401],
    ] as const) {
      expect(await refusal(`ws://localhost:${port}/chat`, origin, sent)).toBe(status);
    }
  },
);

test('guard.explain() prints what docs/start.md says', async () => {
  await import(workbench.file('docs/start.md', 'explain.ts'));
  const denied = { stage: 'origin', outcome: 'deny', reason: 'origin_denied', detail: expect.any(String) };
  expect(printed).toEqual([[false, denied]]);
});

function isFixed(arg: unknown): arg is object {
  return typeof arg === 'object' && arg !== null && (arg as { port?: number }).port === 3000;
}

async function portOf(server: net.Server): Promise<number> {
  if (!server.listening) await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

function token(): Promise<string> {
  return new SignJWT()
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject('alice')
    .setIssuer('https://id.example.com')
    .setAudience('chat')
    .setExpirationTime('5m')
    .sign(new TextEncoder().encode(SECRET));
}

/** The status with which a handshake is refused. */
async function refusal(url: string, origin: string, headers: Record<string, string>): Promise<number> {
  const socket = new WebSocket(url, { origin, headers });
  socket.on('error', () => {});
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number }];
  return response.statusCode;
}

function once(emitter: { once(event: string, done: (...args: unknown[]) => void): unknown }, event: string) {
  return new Promise<unknown[]>((resolve, reject) => {
    emitter.once(event, (...args) => resolve(args));
    emitter.once('error', (error) => reject(error));
  });
}
