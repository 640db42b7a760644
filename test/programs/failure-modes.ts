// A program: three guards on one Redis, with `onStoreFailure` set to `closed`, `open` and `local` for all checks. Each identity
// may have two connections. `failure-modes.ts REDIS_URL`; prints the ports as JSON.
import './with-parent.ts';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { bearer, createGuard, custom, Type } from '@sallyport/core';
import { redisStore } from '@sallyport/redis';
import { guardServer } from '@sallyport/ws';
import { Redis } from 'ioredis';
import { WebSocketServer } from 'ws';

const [url = ''] = process.argv.slice(2);
const closing: (() => Promise<void>)[] = [];

async function serve(mode: 'closed' | 'open' | 'local'): Promise<[string, number]> {
  const client = new Redis(url);
  await new Promise((resolve) => client.once('ready', resolve));
  const guard = createGuard({
    name: mode,
    auth: [
      custom({
        scheme: 'name',
        from: [bearer()],
        authenticate: ({ credential = '' }) => ({ subject: credential }),
      }),
    ],
    messages: { say: Type.Object({ text: Type.String() }) },
    store: redisStore(client, { prefix: 'modes', leaseTtl: 3_000 }),
    onStoreFailure: { handshakes: mode, authFailures: mode, bans: mode, connections: mode },
    limits: { connectionsPerIdentity: 2, handshakes: { rate: '1000/s', burst: 1_000 } },
    logger: false,
  });
  const server = createServer();
  guardServer(server, new WebSocketServer({ noServer: true }), guard, { path: '/chat' });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(async () => {
    await guard.close({ within: '1s' });
    client.disconnect();
    server.close();
  });
  return [mode, (server.address() as AddressInfo).port];
}

const ports = Object.fromEntries(await Promise.all([serve('closed'), serve('open'), serve('local')]));
process.once('SIGTERM', () => void Promise.all(closing.map((close) => close())));
process.stdout.write(`${JSON.stringify(ports)}\n`);
