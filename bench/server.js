// One server of the comparison in a process of its own: `node server.js <server> <shape> [options as JSON]`. It tells its
// parent the port, answers `'cpu'` and `'memory'` (which needs --expose-gc), and ends when the parent is gone.
import { setImmediate } from 'node:timers/promises';

// Before anything is imported: Express looks when it is made, others when they are loaded.
process.env.NODE_ENV = 'production';

/** As the servers were called before. */
const aliases = {
  'bare ws, the same bytes back': ['bare', 'echo'],
  'bare ws, a reply in JSON': ['bare', 'reply'],
  'guard, the same bytes back': ['guard', 'echo'],
  'guard, a typed reply': ['guard', 'reply'],
};

const [, , first, ...rest] = process.argv;
const [name, shape, options] = aliases[first] ?? [first, ...rest];
if (shape !== 'echo' && shape !== 'reply') throw new Error(`'${shape}' is neither 'echo' nor 'reply'`);

const { start } = await import(`./servers/${name}.js`);
process.on('message', async (question) => process.send(await answer(question)));
process.on('disconnect', () => process.exit());
process.send({ port: await start(shape, options === undefined ? undefined : JSON.parse(options)) });

async function answer(question) {
  if (question === 'cpu') return { cpu: process.cpuUsage() };
  if (question === 'memory') {
    await collect();
    return { memory: process.memoryUsage() };
  }
  throw new Error(`no answer to '${question}'`);
}

/** Several times, since what a finalizer or a closing handle lets go is garbage only then. */
async function collect() {
  if (globalThis.gc === undefined) throw new Error("start it with execArgv: ['--expose-gc']");
  for (let i = 0; i < 5; i++) {
    globalThis.gc();
    await setImmediate();
  }
}
