// One server of the comparison in a process of its own: `node server.js <server> <shape> [options as JSON]`. It tells its
// parent the port, answers `'cpu'`, `'memory'` (which needs --expose-gc), and `'watch'` and `'traffic'` (its allocations since then), says something to all, and ends when the parent is gone.
import { setImmediate } from 'node:timers/promises';
import { watchHeap } from './heap.js';

// Before anything is imported: Express looks when it is made, others when they are loaded.
process.env.NODE_ENV = 'production';

const [, , name, shape, options] = process.argv;
if (shape !== 'echo' && shape !== 'reply') throw new Error(`'${shape}' is neither 'echo' nor 'reply'`);

let traffic;
const { start, broadcast } = await import(`./servers/${name}.js`);
process.on('message', async (question) => process.send(await answer(question)));
process.on('disconnect', () => process.exit());
process.send({ port: await start(shape, options === undefined ? undefined : JSON.parse(options)) });

async function answer(question) {
  if (question === 'watch') {
    await collect();
    traffic = watchHeap();
    return {};
  }
  if (question === 'traffic') return { traffic: traffic() };
  if (question === 'cpu') return { cpu: process.cpuUsage() };
  if (question === 'memory') {
    await collect();
    return { memory: process.memoryUsage() };
  }
  if (question.broadcast !== undefined) return { bytes: await broadcast(question.broadcast, question.times) };
  throw new Error(`no answer to ${JSON.stringify(question)}`);
}

/** Several times, since what a finalizer or a closing handle lets go is garbage only then. */
async function collect() {
  if (globalThis.gc === undefined) throw new Error("start it with execArgv: ['--expose-gc']");
  for (let i = 0; i < 5; i++) {
    globalThis.gc();
    await setImmediate();
  }
}
