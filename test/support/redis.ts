import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createConnection, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './eventually.ts';

/** A shell that ends the server when its own input ends, so that the server ends with the test even if that is killed. */
const KEEPER = '"$@" >/dev/null & echo $!; cat >/dev/null; kill -KILL $!; wait';
/** The port of a Cluster node's bus is this much higher than its own. */
const BUS = 10_000;
/** In milliseconds. A Cluster takes a few seconds to start even on an idle machine. */
const PATIENCE = 30_000;

/** One process of redis-server, with an empty database on a free port of loopback. */
export class RedisServer {
  readonly folder = mkdtempSync(join(tmpdir(), 'sallyport-redis-'));
  #keeper: ChildProcess | undefined;
  #pid = 0;

  private constructor(
    readonly program: string,
    readonly port: number,
    readonly options: readonly string[],
  ) {}

  static async start(program: string, options: readonly string[] = []): Promise<RedisServer> {
    const server = new RedisServer(program, await freePort(), options);
    await server.start();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** After `kill()` it has the same port and an empty database, unless the options give a file for it. */
  async start(): Promise<void> {
    const own = ['--port', `${this.port}`, '--bind', '127.0.0.1', '--save', '', '--dir', this.folder];
    await this.#run([this.program, ...own, '--daemonize', 'no', ...this.options]);
  }

  async #run(command: readonly string[]): Promise<void> {
    const keeper = spawn('/bin/sh', ['-c', KEEPER, 'keeper', ...command], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#keeper = keeper;
    this.#pid = await new Promise((resolve) =>
      keeper.stdout.once('data', (line) => resolve(Number(`${line}`))),
    );
    await eventually(
      () =>
        this.command('PING').then(
          (reply) => reply.startsWith('+PONG'),
          () => false,
        ),
      `redis-server on port ${this.port}`,
      PATIENCE,
    );
  }

  /** Starts it with a writable configuration file, which a sentinel needs. */
  static async startSentinel(program: string, configuration: string): Promise<RedisServer> {
    const server = new RedisServer(program, await freePort(), []);
    const file = join(server.folder, 'sentinel.conf');
    await writeFile(file, `port ${server.port}\nbind 127.0.0.1\ndir ${server.folder}\n${configuration}\n`);
    await server.#run([program, file, '--sentinel']);
    return server;
  }

  /** Ends it with SIGKILL, like a crash. Resolves when the process has ended. */
  async kill(): Promise<void> {
    const keeper = this.#keeper;
    if (keeper === undefined) return;
    this.#keeper = undefined;
    const ended = new Promise((resolve) => keeper.once('close', resolve));
    keeper.stdin?.end();
    await ended;
  }

  /** Stops the process: it answers nothing, and its connections stay open. */
  pause(): void {
    process.kill(this.#pid, 'SIGSTOP');
  }

  resume(): void {
    process.kill(this.#pid, 'SIGCONT');
  }

  async close(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Sends one command on a connection of its own, and resolves with the first chunk of the reply. */
  command(...args: readonly string[]): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = createConnection(this.port, '127.0.0.1');
      const parts = args.map((arg) => `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`);
      socket.once('error', reject);
      socket.once('data', (data) => {
        socket.destroy();
        resolve(`${data}`);
      });
      socket.write(`*${args.length}\r\n${parts.join('')}`);
    });
  }
}

/** A Cluster of three masters that share the hash slots evenly. */
export async function startCluster(program: string, more: readonly string[] = []): Promise<RedisServer[]> {
  const options = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000', ...more];
  const servers = await Promise.all([0, 1, 2].map(() => RedisServer.start(program, options)));
  const [first] = servers as [RedisServer, RedisServer, RedisServer];
  await Promise.all(
    servers.map((server, index) => {
      const from = Math.ceil((index * 16_384) / 3);
      const to = Math.ceil(((index + 1) * 16_384) / 3);
      const slots = Array.from({ length: to - from }, (_, i) => `${from + i}`);
      return server.command('CLUSTER', 'ADDSLOTS', ...slots);
    }),
  );
  for (const server of servers) await server.command('CLUSTER', 'MEET', '127.0.0.1', `${first.port}`);
  for (const server of servers) {
    await eventually(
      async () => {
        const info = await server.command('CLUSTER', 'INFO');
        return info.includes('cluster_state:ok') && info.includes('cluster_known_nodes:3');
      },
      'a Cluster of three',
      PATIENCE,
    );
  }
  return servers;
}

/** A master with one replica, and a sentinel that knows both and declares a master down after this many milliseconds. */
export async function startSentinel(
  program: string,
  downAfter: number,
): Promise<{ master: RedisServer; replica: RedisServer; sentinel: RedisServer }> {
  // By default a master waits for more replicas before it starts to replicate.
  const master = await RedisServer.start(program, ['--repl-diskless-sync-delay', '0']);
  const replica = await RedisServer.start(program, ['--replicaof', '127.0.0.1', `${master.port}`]);
  const sentinel = await RedisServer.startSentinel(
    program,
    [
      `sentinel monitor main 127.0.0.1 ${master.port} 1`,
      `sentinel down-after-milliseconds main ${downAfter}`,
      'sentinel failover-timeout main 3000',
    ].join('\n'),
  );
  await eventually(
    async () => (await replica.command('INFO', 'replication')).includes('master_link_status:up'),
    'a replica',
    PATIENCE,
  );
  await eventually(
    async () => (await sentinel.command('SENTINEL', 'REPLICAS', 'main')).includes(`${replica.port}`),
    'the sentinel to notice the replica',
    PATIENCE,
  );
  return { master, replica, sentinel };
}

/** A free port whose Cluster bus port is free as well, below the range that the system gives to clients. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 12_000);
    const [own, bus] = await Promise.all([listen(port), listen(port + BUS)]);
    for (const server of [own, bus]) await new Promise((resolve) => server?.close(resolve) ?? resolve(0));
    if (own !== undefined && bus !== undefined) return port;
  }
}

function listen(port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}
