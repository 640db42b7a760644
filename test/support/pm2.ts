import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const root = join(import.meta.dirname, '..', '..');
const bin = join(dirname(createRequire(import.meta.url).resolve('pm2/package.json')), 'bin', 'pm2');
const run = promisify(execFile);

/** A PM2 daemon of its own, with one application. */
export class Pm2 {
  private constructor(readonly home: string) {}

  /** Starts the application with these settings of an `ecosystem.config.cjs`, in the way that users do. */
  static async start(settings: object): Promise<Pm2> {
    const pm2 = new Pm2(await mkdtemp(join(tmpdir(), 'sallyport-pm2-')));
    const log = join(pm2.home, 'application.log');
    const application = {
      name: 'chat',
      script: join(root, 'test/programs/managed-node.js'),
      cwd: root,
      node_args: ['--import', './test/programs/sources.js', '--conditions', '@sallyport/source'],
      out_file: log,
      error_file: log,
      merge_logs: true,
      autorestart: false,
      ...settings,
    };
    const config = join(pm2.home, 'ecosystem.config.cjs');
    await writeFile(config, `module.exports = { apps: [${JSON.stringify(application)}] };\n`);
    await pm2.run('start', config);
    return pm2;
  }

  async run(...args: readonly string[]): Promise<void> {
    const env = { ...process.env, PM2_HOME: this.home, PM2_DISABLE_VERSION_CHECK: 'true' };
    await run(process.execPath, [bin, ...args], { cwd: root, env });
  }

  /** What the application's processes have printed. */
  printed(): Promise<string> {
    return readFile(join(this.home, 'application.log'), 'utf8').catch(() => '');
  }

  /** What the daemon did. */
  did(): Promise<string> {
    return readFile(join(this.home, 'pm2.log'), 'utf8');
  }

  /** Ends the application and the daemon. */
  async end(): Promise<void> {
    await this.run('kill');
    await rm(this.home, { recursive: true, force: true });
  }
}
