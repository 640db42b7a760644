// `node bench/micro.js`: each stage of a message and of a handshake by itself, so that a regression shows where it is; and what a
// message allocates.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Bench } from 'tinybench';
import { internalsOf } from '../packages/core/dist/guard/internals.js';
import { HandshakeContext } from '../packages/core/dist/handshake/handshake-context.js';
import { readHeaders } from '../packages/core/dist/handshake/headers.js';
import { spend } from '../packages/core/dist/limits/cell-rate.js';
import { isAcceptable, parseJson } from '../packages/core/dist/message/parse.js';
import { checkFrame, inspectMessage } from '../packages/core/dist/message/pipeline.js';
import { frameOf } from '../packages/core/dist/outbound/frame.js';
import { textOf } from '../packages/core/dist/wire/codec.js';
import { admit, connected, handshakeRequest, TEXT } from './inside.js';
import { guardOf } from './servers/guard.js';
import { signToken } from './token.js';

const guard = guardOf();
const { rules, writer } = internalsOf(guard).route;
const token = await signToken();
const request = handshakeRequest(token);
const { receiver } = await connected(guard);
const bytes = Buffer.from(TEXT);
const value = JSON.parse(TEXT);
const { room, text } = value;
const said = { room, text };
const { check } = rules.types.get('say');
const reading = {
  proxies: { unix: false, ranges: [], header: 'x-forwarded-for' },
  queryCredentials: new Set(),
  subprotocolMarkers: new Set(),
};
const sender = { ledger: { messages: 0, bytes: 0 }, reported() {}, identity: { subject: 'load' } };
const fresh = [];
for (let i = 0; i < 20_000; i++) fresh.push(await signToken({ jti: `${i}` }));
let next = 0;

const bench = new Bench({ time: 300, warmupTime: 150 });
bench
  .add('message: JSON.parse, for comparison', () => JSON.parse(TEXT))
  .add('message: bytes to text', () => textOf(bytes))
  .add('message: size and rates', () => checkFrame(bytes.length, performance.now(), sender, rules))
  .add('message: one bucket', () => spend(0, 1, { interval: 1, burst: 10 }))
  .add('message: safe parse', () => parseJson(TEXT))
  .add('message: bounds and repeated keys, the long way', () => isAcceptable(value, rules.bounds, TEXT))
  .add('message: schema', () => check.fits(value))
  .add('message: parse to permission', () => inspectMessage(bytes, false, sender, rules))
  .add('message: all, to the handler', () => receiver.receive(bytes, false))
  .add('reply: schema and text', () => writer.message('said', said))
  .add('reply: frame', () => frameOf(TEXT))
  .add('handshake: headers', () => readHeaders(request.rawHeaders))
  .add('handshake: headers, target, host, address', () => new HandshakeContext(request, reading))
  .add('handshake: all, a token seen before', async () => (await admit(guard, request)).release())
  .add('handshake: all, a token of its own', async () => {
    (await admit(guard, handshakeRequest(fresh[next++ % fresh.length]))).release();
  });
await bench.run();

console.log('| stage | median | 99th percentile |\n|---|---|---|');
for (const { name, result } of bench.tasks) {
  if (result?.latency === undefined) throw new Error(`${name}: ${result?.error ?? 'no result'}`);
  const { p50, p99 } = result.latency;
  console.log(`| ${name} | ${nanoseconds(p50)} | ${nanoseconds(p99)} |`);
}
const program = fileURLToPath(new URL('allocation.js', import.meta.url));
// So much room for what is young that nothing is collected while it is counted.
const { stdout, status } = spawnSync(
  process.execPath,
  ['--expose-gc', '--max-semi-space-size=512', program],
  { encoding: 'utf8' },
);
if (status !== 0) throw new Error('the allocation could not be measured');
console.log(`\n${stdout.trim()}`);
process.exit();

function nanoseconds(milliseconds) {
  return `${Math.round(milliseconds * 1e6).toLocaleString('en')} ns`;
}
