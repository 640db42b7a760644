import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const SOURCES = ['--import', './test/programs/sources.js', '--conditions', '@sallyport/source'];

/** A program of `test/programs` in a process of its own, which ends with the test process. */
export class NodeProcess {
  /** The processes that this test file has started and not killed. */
  static readonly #started = new Set<NodeProcess>();
  #output = '';
  #errors = '';
  readonly #exit: Promise<[code: number | null, signal: string | null]>;

  private constructor(
    readonly name: string,
    readonly child: ChildProcess,
  ) {
    NodeProcess.#started.add(this);
    this.#exit = once(child, 'exit') as Promise<[number | null, string | null]>;
    child.stdout?.on('data', (data) => {
      this.#output += data;
    });
    child.stderr?.on('data', (data) => {
      this.#errors += data;
    });
  }

  /** Resolves once the program has printed its first line. */
  static async start(program: string, ...args: readonly string[]): Promise<NodeProcess> {
    const file = `./test/programs/${program}.ts`;
    const child = spawn(process.execPath, [...SOURCES, file, ...args], { cwd: root, stdio: 'pipe' });
    const node = new NodeProcess([program, ...args].join(' '), child);
    while (!node.#output.includes('\n')) {
      await Promise.race([once(child.stdout, 'data'), node.#exit]);
      if (!node.isRunning) throw new Error(`${node.name} has ended: ${node.#errors}`);
    }
    return node;
  }

  /** What it has printed. */
  get output(): string {
    return this.#output;
  }

  /** The first line that it printed. */
  get line(): string {
    return this.#output.split('\n', 1)[0] ?? '';
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** What it printed as errors. */
  get errors(): string {
    return this.#errors;
  }

  /** Sends it a signal. */
  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** Resolves with its exit code, or the signal that ended it. */
  async ended(): Promise<number | string | null> {
    const [code, signal] = await this.#exit;
    return code ?? signal;
  }

  /** Ends it with SIGKILL, like a crash. */
  async kill(): Promise<void> {
    NodeProcess.#started.delete(this);
    this.child.kill('SIGKILL');
    await this.#exit;
  }

  /** Sends all of them SIGTERM, and resolves with the errors of those that failed or printed errors. */
  static async endAll(): Promise<string[]> {
    const ends = [...NodeProcess.#started].map(async (node) => {
      if (node.isRunning) node.child.kill('SIGTERM');
      const end = await node.ended();
      return end === 0 && node.errors === '' ? [] : [`${node.name}: ${end} ${node.errors}`];
    });
    NodeProcess.#started.clear();
    return (await Promise.all(ends)).flat();
  }
}
