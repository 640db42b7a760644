// `pnpm test:debug`: a debugger that attaches is in the process that runs Jest and its tests.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { WebSocket } from 'ws';

const root = join(import.meta.dirname, '../..');
const FILE = 'packages/core/test/guard/ticker.test.ts';

test('a debugger that attaches to `scripts/test.js --inspect-brk` sees the test file and its sources loaded', async () => {
  const args = ['scripts/test.js', '--inspect-brk=0', FILE, '-t', 'has no timer without connections'];
  const env = { ...process.env, FORCE_COLOR: '0' };
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: ['ignore', 'ignore', 'pipe'] });
  const exit = once(child, 'exit');
  let output = '';
  const attached = new Promise<Debugger>((resolve, reject) => {
    child.stderr.on('data', (data) => {
      const before = output;
      output += data;
      const [, url] = /listening on (ws:\S+)\n/.exec(output) ?? [];
      if (url !== undefined && !before.includes(url)) Debugger.attach(url).then(resolve, reject);
    });
    exit.then(() => reject(new Error(`it ended: ${output}`)), reject);
  });
  try {
    const inspector = await attached;
    child.stderr.on('data', () => {
      if (output.includes('Waiting for the debugger')) inspector.detach();
    });
    expect(await exit).toEqual([0, null]);
    expect(output).toContain('✓ the ticker has no timer without connections');
    expect(inspector.scripts).toEqual(expect.arrayContaining([FILE, 'packages/core/src/guard/ticker.ts']));
  } finally {
    child.kill('SIGKILL');
  }
});

/** Attaches as an editor does: has the process go on, and notes which files of this project it loads. */
class Debugger {
  /** Paths from the root. */
  readonly scripts: string[] = [];
  #id = 0;

  private constructor(readonly socket: WebSocket) {
    socket.on('message', (data) => {
      const { method, params } = JSON.parse(String(data));
      if (method === 'Debugger.scriptParsed') this.scripts.push(params.url.replace(`file://${root}/`, ''));
      if (method === 'Debugger.paused') this.#send('Debugger.resume');
    });
  }

  static async attach(url: string): Promise<Debugger> {
    const socket = new WebSocket(url);
    const inspector = new Debugger(socket);
    await once(socket, 'open');
    inspector.#send('Debugger.enable');
    inspector.#send('Runtime.runIfWaitingForDebugger');
    return inspector;
  }

  detach(): void {
    this.socket.close();
  }

  #send(method: string): void {
    this.socket.send(JSON.stringify({ id: ++this.#id, method }));
  }
}
