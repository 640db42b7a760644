import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const SOURCES = ['--import', './test/programs/sources.js', '--conditions', '@sallyport/source'];

/** One of the programs of `test/programs`, in a process of its own, which ends with the test's. */
export class NodeProcess {
  /** Those that this test file has started, and that nobody has killed. */
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

  /** Resolves once it has printed its first line. */
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

  /** What it printed first. */
  get line(): string {
    return this.#output.split('\n', 1)[0] ?? '';
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** All that it has complained about. */
  get errors(): string {
    return this.#errors;
  }

  /** Asks it to do what it does on this signal. */
  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** Its exit code, or the signal that ended it, once it has ended. */
  async ended(): Promise<number | string | null> {
    const [code, signal] = await this.#exit;
    return code ?? signal;
  }

  /** As a crash does. */
  async kill(): Promise<void> {
    NodeProcess.#started.delete(this);
    this.child.kill('SIGKILL');
    await this.#exit;
  }

  /** Asks all of them to end, and resolves with what is wrong with those that did not do so well, or have complained. */
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
