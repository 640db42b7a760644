// One server of the comparison, in a process of its own, so that what it costs can be told from what the load costs.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { plain } from './dialects.js';

const own = fileURLToPath(new URL('server.js', import.meta.url));

export class Contender {
  /** The core that servers are started on; without one the system chooses. */
  static core = undefined;
  #child;

  constructor(facts, child) {
    Object.assign(this, facts);
    this.#child = child;
  }

  /** `server` is a file of `servers/`; `shape` is what it does with a message. It goes by its server's name, or by another.
   * `program` is the `server.js` of another checkout. */
  static async start(server, shape, { name = server, dialect = plain, program = own, ...options } = {}) {
    const child = fork(program, [server, shape, JSON.stringify(options)], started(Contender.core));
    const { port } = await new Promise((resolve, reject) => {
      child.once('message', resolve);
      child.once('exit', () => reject(new Error(`${server}: it has ended`)));
    });
    return new Contender({ name, shape, dialect, port }, child);
  }

  /** Microseconds of CPU that it has used since it began. */
  async cpu() {
    const { cpu } = await this.ask('cpu');
    return cpu.user + cpu.system;
  }

  /** Bytes that it holds once nothing is left to collect. */
  async memory() {
    return (await this.ask('memory')).memory;
  }

  /** Bytes that one operation allocates, and promotes: they repeat where CPU does not. */
  async traffic(work) {
    await this.ask('watch');
    const count = await work(this);
    const { allocated, promoted } = (await this.ask('traffic')).traffic;
    return { allocated: allocated / count, promoted: promoted / count };
  }

  ask(question) {
    const answer = new Promise((resolve) => this.#child.once('message', resolve));
    this.#child.send(question);
    return answer;
  }

  end() {
    this.#child.disconnect();
  }
}

function started(core) {
  const execArgv = ['--expose-gc'];
  if (core === undefined) return { execArgv };
  return { execPath: 'taskset', execArgv: ['-c', `${core}`, process.execPath, ...execArgv] };
}
