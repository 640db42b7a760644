// The shutdown below a process manager: PM2 and node:cluster hold a channel to each process, and PM2 kills what has not ended in time.
import { afterEach, describe, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { eventually } from '../support/eventually.ts';
import { NodeProcess } from '../support/node-process.ts';
import { Pm2 } from '../support/pm2.ts';

/** Milliseconds that PM2 may take to end, on a busy machine. */
const PATIENCE = 60_000;
const CLIENTS = 40;

/** Opens clients, and resolves with a count of the close codes once all are closed. */
async function crowd(port: number): Promise<{ readonly codes: Promise<Record<string, number>> }> {
  const open: Promise<unknown>[] = [];
  const closed: Promise<number>[] = [];
  for (let i = 0; i < CLIENTS; i++) {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/chat`, { origin: 'http://localhost' });
    open.push(new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject)));
    closed.push(new Promise((resolve) => socket.on('close', resolve)));
  }
  await Promise.all(open);
  const count = (codes: readonly number[]) =>
    Object.fromEntries([...new Set(codes)].map((code) => [code, codes.filter((one) => one === code).length]));
  return { codes: Promise.all(closed).then(count) };
}

const ports = (printed: string) => [...printed.matchAll(/^(\d+) listening (\d+)$/gm)];

describe('node:cluster', () => {
  afterEach(() => NodeProcess.endAll(), PATIENCE);

  test('SIGTERM to a primary that forwards it closes all clients with 1001, and every process exits', async () => {
    const primary = await NodeProcess.start('cluster-primary');
    await eventually(() => ports(primary.output).length === 2, 'both workers', PATIENCE);
    const { codes } = await crowd(Number(ports(primary.output)[0]?.[2]));
    primary.signal('SIGTERM');
    expect(await codes).toEqual({ 1001: CLIENTS });
    expect([await primary.ended(), primary.errors]).toEqual([0, '']);
    expect(primary.output.match(/ over$/gm)).toHaveLength(2);
  }, 60_000);
});

/** On a busy machine a process takes more than the 3 s after which PM2 ends the old ones nevertheless. */
const CLUSTER = { exec_mode: 'cluster', instances: 2, kill_timeout: 20_000, listen_timeout: 60_000 };

describe('PM2', () => {
  let pm2: Pm2 | undefined;
  afterEach(() => pm2?.end(), PATIENCE);

  async function start(settings: object, processes: number): Promise<{ pm2: Pm2; port: number }> {
    const started = await Pm2.start(settings);
    pm2 = started;
    await eventually(
      async () => ports(await started.printed()).length === processes,
      'the processes',
      PATIENCE,
    );
    return { pm2: started, port: Number(ports(await started.printed())[0]?.[2]) };
  }

  test('a reload of a cluster whose kill_timeout is long enough ends all clients with 1001 and kills no process', async () => {
    const { pm2, port } = await start(CLUSTER, 2);
    const { codes } = await crowd(port);
    await pm2.run('reload', 'chat');
    expect(await codes).toEqual({ 1001: CLIENTS });
    await eventually(async () => ports(await pm2.printed()).length === 4, 'the new processes', PATIENCE);
    expect(await pm2.did()).not.toContain('SIGKILL');
    const again = await crowd(port);
    await pm2.run('stop', 'chat');
    expect(await again.codes).toEqual({ 1001: CLIENTS });
    expect(await pm2.did()).not.toContain('SIGKILL');
    expect(await pm2.printed()).not.toContain('kill_timeout');
  }, 180_000);

  test.each([
    ['the signal', {}],
    ['the message', { shutdown_with_message: true }],
  ])(
    'a process in fork mode ends with %s that PM2 sends',
    async (_what, settings) => {
      const { pm2, port } = await start({ exec_mode: 'fork', kill_timeout: 20_000, ...settings }, 1);
      const { codes } = await crowd(port);
      await pm2.run('stop', 'chat');
      expect(await codes).toEqual({ 1001: CLIENTS });
      expect(await pm2.printed()).toMatch(/ over$/m);
      expect(await pm2.did()).not.toContain('SIGKILL');
    },
    180_000,
  );

  test('with the default kill_timeout the log names the line to write', async () => {
    const { pm2 } = await start({ exec_mode: 'fork' }, 1);
    expect(await pm2.printed()).toContain(
      'PM2 kills this process 1600 ms after it told it to stop, and the shutdown may take 5000 ms: write kill_timeout: 6000',
    );
  }, 180_000);
});
