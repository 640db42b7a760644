import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { HOSTS } from '../server/arguments.ts';
import { Client, login } from './support/client.ts';

const start = join(import.meta.dirname, '..', 'start.js');
/** Milliseconds for a run. The first one builds. */
const BUILD_MS = 120_000;

interface Run {
  readonly child: ChildProcess;
  /** What the process has printed. */
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
  'on %s, the demo prints one line, and on SIGTERM exits with 0 and closes an open chat with 1001',
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
  'the attacker’s page is on the next port; a second demo on a taken port exits with 1 and says so',
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
  '--redis with an unreachable Redis exits with 1 and a message without the password',
  () => {
    const url = 'redis://:hunter2@127.0.0.1:1';
    const { status, stdout, stderr } = spawnSync(process.execPath, [start, '--port', '0', '--redis', url], {
      encoding: 'utf8',
    });
    expect([status, stdout, stderr]).toEqual([
      1,
      '',
      'There is no Redis at redis://127.0.0.1:1 (ECONNREFUSED). Start one, or leave out --redis.\n',
    ]);
  },
  BUILD_MS,
);

test(
  'an unknown option exits with 2 and prints the usage',
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

const testWithProc = existsSync('/proc/self/environ') ? test : test.skip;

testWithProc(
  'the demo ends when the package manager that started it through shells gets SIGTERM',
  async () => {
    // As npx runs it: a shell for pnpm, and in it one for the script. With `; true` a shell does not replace itself by its command.
    const script = 'npm_lifecycle_event=demo "$0" "$1" --host ws --port 0; true';
    const child = spawn('sh', ['-c', `sh -c '${script}' "$0" "$1"; true`, process.execPath, start], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, npm_lifecycle_event: 'npx' },
      detached: true,
    });
    try {
      const [line] = (await once(child.stdout, 'data')) as [Buffer];
      const url = line.toString().trim().replace('listening on ', '');
      expect((await fetch(`${url}/health`)).status).toBe(200);
      child.kill('SIGTERM');
      // It closes when all processes that could write to it have ended.
      await once(child.stdout, 'close');
      await expect(fetch(`${url}/health`)).rejects.toThrow();
    } finally {
      endGroup(child.pid);
    }
  },
  BUILD_MS,
);

/** Ends what is left of a process group. */
function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as { code?: string }).code !== 'ESRCH') throw error;
  }
}

/** A free port whose next port is free as well, below the ephemeral ports, which other tests use. */
async function twoFreePorts(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 30_000);
    const both = await Promise.allSettled([taken(port), taken(port + 1)]);
    const free = both.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    for (const server of free) server.close();
    if (free.length === 2) return port;
  }
}

function taken(port: number) {
  const server = createServer();
  return new Promise<typeof server>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}
