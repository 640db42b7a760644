import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

const root = join(import.meta.dirname, '..', '..');
const FLAGS = ['--expose-gc', '--import', './test/programs/sources.js', '--conditions', '@sallyport/source'];

interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

/** A program of `test/programs` in a process of its own. It answers questions, and exits with this process. */
export class Forked<Questions extends object> {
  readonly #waiting = new Map<number, { resolve(value: never): void; reject(error: Error): void }>();
  readonly #ended: Promise<string>;
  #asked = 0;

  private constructor(readonly child: ChildProcess) {
    let errors = '';
    child.stderr?.on('data', (data) => {
      errors += data;
    });
    child.on('message', ({ id, value, error }: Answer) => {
      const asked = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) asked?.resolve(value as never);
      else asked?.reject(new Error(error));
    });
    // Not 'close', which is not emitted once this side has disconnected.
    const endings = [once(child, 'exit'), once(child.stderr as Readable, 'end')];
    this.#ended = Promise.all(endings).then(() => errors);
    void this.#ended.then(() => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`The program has ended: ${errors}`));
    });
  }

  static async start<Questions extends object>(program: string): Promise<Forked<Questions>> {
    const child = fork(`./test/programs/${program}.ts`, {
      cwd: root,
      execArgv: FLAGS,
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    });
    const forked = new Forked<Questions>(child);
    await forked.#ask('ready', []);
    return forked;
  }

  ask<N extends keyof Questions & string>(
    name: N,
    ...args: Questions[N] extends (...args: infer A) => unknown ? A : never
  ): Promise<Questions[N] extends (...args: never) => infer R ? Awaited<R> : never> {
    return this.#ask(name, args) as never;
  }

  #ask(name: string, args: readonly unknown[]): Promise<unknown> {
    const id = this.#asked++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as never, reject });
      this.child.send({ id, name, args }, (error) => error !== null && reject(error));
    });
  }

  /** Ends the program, and resolves with what it printed as errors. */
  end(): Promise<string> {
    if (this.child.connected) this.child.disconnect();
    return this.#ended;
  }
}
