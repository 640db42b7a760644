import type { Clock, Duration } from '@sallyport/core';
import { Api } from './chat/api.ts';
import { Chat } from './chat/chat.ts';
import { NoRedisError } from './chat/nodes.ts';
import { Page } from './chat/page.ts';
import { type DemoArguments, type HostName, parseArguments, UsageError } from './server/arguments.ts';
import { serveAttacker } from './server/attacker.ts';
import { selfSigned } from './server/certificate.ts';
import type { Running, Serve, ServeOptions } from './server/web-server.ts';

const FILES = {
  '/': 'index.html',
  '/style.css': 'style.css',
  '/app.js': 'app.js',
  '/attacks.js': 'attacks.js',
  '/attack-tools.js': 'attack-tools.js',
  '/page-attacks.js': 'page-attacks.js',
  '/credential-attacks.js': 'credential-attacks.js',
  '/message-attacks.js': 'message-attacks.js',
  '/chat.js': 'chat.js',
  '/decisions.js': 'decisions.js',
  '/ways.js': 'ways.js',
  '/icon.svg': 'icon.svg',
  '/wall.svg': 'wall.svg',
  '/sandboxed.html': 'sandboxed.html',
  '/sandboxed.js': 'sandboxed.js',
};

/** Only the chosen host is loaded. */
const hosts: Readonly<Record<HostName, () => Promise<Serve>>> = {
  fastify: async () => (await import('./fastify.ts')).serveFastify,
  express: async () => (await import('./express.ts')).serveExpress,
  koa: async () => (await import('./koa.ts')).serveKoa,
  ws: async () => (await import('./ws.ts')).serveWs,
};

export interface Demo {
  readonly url: string;
  readonly attacker: string;
  close(): Promise<void>;
}

/** Settings for tests, so that they need not wait for a token to expire, or for the slots of a killed node. */
export interface DemoTimes {
  readonly clock?: Clock;
  readonly leaseTtl?: Duration;
}

export async function startDemo(
  { host, port, tls, silent, redis }: DemoArguments,
  times: DemoTimes = {},
): Promise<Demo> {
  const certificate = tls ? await selfSigned() : undefined;
  const origin = (running: Running): string => `${tls ? 'https' : 'http'}://localhost:${running.port}`;
  const chat = await Chat.open({ silent, redis, ...times });
  const open: { close(): Promise<void> }[] = [chat];
  const close = async (): Promise<void> => {
    // Its event streams are requests that would never end.
    chat.feed.close();
    for (const part of open.toReversed()) await part.close();
  };
  try {
    const serve = await hosts[host]();
    const api = new Api(chat, host, tls);
    const running = await serve(api, new Page(FILES), { port, certificate });
    open.push(running);
    const url = origin(running);
    const attacker = await serveBeside(url, { port: port === 0 ? 0 : running.port + 1, certificate });
    open.push(attacker);
    api.attacker = origin(attacker);
    return { url, attacker: api.attacker, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Serves the attacker's page on the next port, or on any free port if that one is taken. */
async function serveBeside(target: string, options: ServeOptions): Promise<Running> {
  try {
    return await serveAttacker(target, options);
  } catch {
    return serveAttacker(target, { ...options, port: 0 });
  }
}

/** The command: prints one line when it serves, and ends cleanly on SIGINT and SIGTERM. */
export async function main(args: readonly string[]): Promise<void> {
  let demo: Demo;
  try {
    demo = await startDemo(parseArguments(args));
  } catch (error) {
    console.error(explain(error));
    process.exitCode = error instanceof UsageError ? 2 : 1;
    return;
  }
  console.log(`listening on ${demo.url}`);
  const end = (): void => {
    process.off('SIGINT', end).off('SIGTERM', end);
    demo.close().catch((error: unknown) => {
      console.error(error);
      process.exitCode = 1;
    });
  };
  process.on('SIGINT', end).on('SIGTERM', end);
}

function explain(error: unknown): unknown {
  if (error instanceof UsageError || error instanceof NoRedisError) return error.message;
  const { code, port } = error as { code?: string; port?: number };
  return code === 'EADDRINUSE' ? `Port ${port} is in use. Choose another one with --port.` : error;
}
