// What a message allocates, beside what `JSON.parse` of it does. Run by micro.js, in a process in which nothing is collected
// meanwhile.
import { connected, TEXT } from './inside.js';
import { guardOf } from './servers/guard.js';

const TIMES = 20_000;
const bytes = Buffer.from(TEXT);
const { receiver } = await connected(guardOf());
let parsed = 0;
const parse = () => {
  parsed += JSON.parse(bytes.toString()).text.length;
};
const receive = () => receiver.receive(bytes, false);
for (let i = 0; i < 5; i++) for (const work of [parse, receive]) allocated(work);
const [parseBytes, whole] = [parse, receive].map(allocated);
if (parsed === 0) throw new Error('nothing was parsed');
console.log(
  `A message allocates ${Math.round(whole)} bytes on its way to the handler, of which JSON.parse ${Math.round(parseBytes)}.`,
);
process.exit();

function allocated(work) {
  globalThis.gc();
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < TIMES; i++) work();
  return (process.memoryUsage().heapUsed - before) / TIMES;
}
