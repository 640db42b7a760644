// One server of the comparison, in a process of its own, so that what it costs can be told from what the load costs.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { plain } from './dialects.js';

const own = fileURLToPath(new URL('server.js', import.meta.url));

export class Contender {
  #child;

  constructor(facts, child) {
    Object.assign(this, facts);
    this.#child = child;
  }

  /** `server` is a file of `servers/`; `shape` is what it does with a message. It goes by its server's name, or by another.
   * `program` is the `server.js` of another checkout. */
  static async start(server, shape, { name = server, dialect = plain, program = own, ...options } = {}) {
    const child = fork(program, [server, shape, JSON.stringify(options)], { execArgv: ['--expose-gc'] });
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

  ask(question) {
    const answer = new Promise((resolve) => this.#child.once('message', resolve));
    this.#child.send(question);
    return answer;
  }

  end() {
    this.#child.disconnect();
  }
}
