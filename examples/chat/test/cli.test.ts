import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { HOSTS } from '../server/arguments.ts';
import { Client, login } from './support/client.ts';

const start = join(import.meta.dirname, '..', 'start.js');
/** The first run builds. */
const BUILD_MS = 120_000;

interface Run {
  readonly child: ChildProcess;
  /** What it has printed. */
  readonly output: { stdout: string; stderr: string };
}

let run: Run | undefined;
afterEach(async () => {
  if (run === undefined || run.child.exitCode !== null || run.child.signalCode !== null) return;
  run.child.kill('SIGTERM');
  await once(run.child, 'exit');
});

function demo(...args: string[]): Run {
  const child = spawn(process.execPath, [start, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (data) => {
    output.stdout += data;
  });
  child.stderr.on('data', (data) => {
    output.stderr += data;
  });
  run = { child, output };
  return run;
}

async function listening({ child, output }: Run): Promise<string> {
  while (!output.stdout.includes('\n')) {
    await Promise.race([once(child.stdout as NodeJS.ReadableStream, 'data'), once(child, 'exit')]);
    if (child.exitCode !== null) throw new Error(output.stderr);
  }
  return output.stdout.trim().replace('listening on ', '');
}

test.each(HOSTS)(
  'on %s it prints one line, and ends cleanly with a chatter and a watcher still there',
  async (host) => {
    const run = demo('--host', host, '--port', '0');
    const url = await listening(run);
    const { cookie } = await login(url, 'alice');
    const client = await Client.open(url, { headers: { cookie }, origin: url });
    await client.next();
    const watcher = await fetch(`${url}/decisions`);
    const ended = once(run.child, 'exit');
    run.child.kill('SIGTERM');
    expect(await client.closed).toEqual({ code: 1001 });
    await watcher.text();
    expect(await ended).toEqual([0, null]);
    expect(run.output).toEqual({ stdout: `listening on ${url}\n`, stderr: '' });
  },
  BUILD_MS,
);

test(
  'the attacker has the next port, and a port that is taken is said to be',
  async () => {
    const port = await twoFreePorts();
    const url = await listening(demo('--host', 'ws', '--port', String(port), '--silent'));
    expect(url).toBe(`http://localhost:${port}`);
    expect(await (await fetch(`${url}/setup`)).json()).toMatchObject({
      attacker: `http://localhost:${port + 1}`,
    });
    const second = spawnSync(process.execPath, [start, '--port', String(port)], { encoding: 'utf8' });
    expect(second).toMatchObject({
      status: 1,
      stdout: '',
      stderr: `Port ${port} is in use. Choose another one with --port.\n`,
    });
  },
  BUILD_MS,
);

test(
  'refuses what it does not know',
  () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [start, '--hosts', 'koa'], {
      encoding: 'utf8',
    });
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain("'--hosts'");
    expect(stderr).toContain('Usage: demo');
  },
  BUILD_MS,
);

/** A free port whose neighbour is free as well. */
async function twoFreePorts(): Promise<number> {
  for (;;) {
    const first = await taken(0);
    const { port } = first.address() as AddressInfo;
    const second = await taken(port + 1).catch(() => undefined);
    first.close();
    if (second === undefined) continue;
    second.close();
    return port;
  }
}

function taken(port: number) {
  const server = createServer();
  return new Promise<typeof server>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}
