// `node bench/run.js [--quick]`: each server in its own process, all alive at once, given short slices in turn by one
// load process; what counts is the median, over the rounds, of each slice's ratio to its own round's counterpart.
import { fork } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { open, Talker } from './load.js';
import { signToken } from './token.js';

const quick = process.argv.includes('--quick');
const ROUNDS = quick ? 9 : 41;
const SLICE = quick ? 250 : 400;
const CONNECTIONS = 50;
const HANDSHAKES = quick ? 150 : 400;

const PAIRS = [
  ['bare ws, the same bytes back', 'guard, the same bytes back'],
  ['bare ws, a reply in JSON', 'guard, a typed reply'],
];

const token = await signToken();
const servers = new Map();
for (const kind of PAIRS.flat()) servers.set(kind, await start(kind));

const rows = [];
for (const inFlight of [20, 1]) {
  for (const [bare, guard] of PAIRS) {
    const talkers = new Map();
    for (const kind of [bare, guard]) talkers.set(kind, await talkersOf(kind, inFlight));
    rows.push(
      await compare(`${guard}, ${inFlight} in flight`, bare, guard, (kind) => talk(kind, talkers.get(kind))),
    );
    for (const { socket } of [...talkers.values()].flat()) socket.destroy();
  }
}
const [bare, guard] = PAIRS[0];
rows.push(await compare('handshake, a token seen before', bare, guard, handshakes));
for (const { child } of servers.values()) child.disconnect();

const lines = rows.map(
  ({ name, bareCpu, guardCpu, cpu, rate }) =>
    `| ${name} | ${micro(bareCpu)} | ${micro(guardCpu)} | ${spread(cpu)} | ${spread(rate)} |`,
);
const text = `# What the guard costs

Each row sets a guarded server beside \`ws\` without any check, doing the same work: ${CONNECTIONS} connections on loopback,
each server in a process of its own, slices of ${SLICE} ms in turn. The ratios are medians over ${ROUNDS} rounds of each slice
against its own round's counterpart, with the 10th and 90th percentile: CPU time of the server for one operation (below
1 is cheaper than bare), and operations in the time (above 1 is more than bare).

Node ${process.version}, ${cpus()[0].model.trim()}, ${cpus().length} cores. Written by \`npx -y pnpm@10 bench\`.

| work | bare, CPU | guarded, CPU | CPU, guarded / bare | throughput, guarded / bare |
|---|---|---|---|---|
${lines.join('\n')}
`;
if (!quick) writeFileSync(fileURLToPath(new URL('RESULTS.md', import.meta.url)), text);
console.log(text);

async function start(kind) {
  const child = fork(fileURLToPath(new URL('server.js', import.meta.url)), [kind]);
  const { port } = await new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', () => reject(new Error(`${kind}: the server ended`)));
  });
  return { child, port };
}

async function talkersOf(kind, inFlight) {
  const { port } = servers.get(kind);
  const opened = Array.from(
    { length: CONNECTIONS },
    async () => new Talker(await open(port, token), inFlight),
  );
  return Promise.all(opened);
}

async function talk(_kind, talkers) {
  const before = total(talkers);
  for (const talker of talkers) talker.start();
  await new Promise((resolve) => setTimeout(resolve, SLICE));
  for (const talker of talkers) talker.stop();
  // What is in flight belongs to this slice, and the next one begins with silence.
  for (let last = -1; last !== total(talkers); ) {
    last = total(talkers);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return total(talkers) - before;
}

async function handshakes(kind) {
  const { port } = servers.get(kind);
  for (let i = 0; i < HANDSHAKES; i++) (await open(port, token)).destroy();
  return HANDSHAKES;
}

async function compare(name, bareKind, guardKind, work) {
  const measured = { bareCpu: [], guardCpu: [], cpu: [], rate: [] };
  await measure(bareKind, work);
  await measure(guardKind, work);
  for (let round = 0; round < ROUNDS; round++) {
    // Who begins changes, so that neither always finds the machine warm.
    const order = round % 2 === 0 ? [bareKind, guardKind] : [guardKind, bareKind];
    const results = new Map();
    for (const kind of order) results.set(kind, await measure(kind, work));
    const [a, b] = [results.get(bareKind), results.get(guardKind)];
    measured.bareCpu.push(a.cpu);
    measured.guardCpu.push(b.cpu);
    measured.cpu.push(b.cpu / a.cpu);
    measured.rate.push(b.rate / a.rate);
  }
  return { name, ...measured };
}

/** CPU microseconds for one operation, and operations in a second. */
async function measure(kind, work) {
  const before = await cpuOf(kind);
  const from = performance.now();
  const operations = await work(kind);
  const seconds = (performance.now() - from) / 1_000;
  if (operations === 0) throw new Error(`${kind} did nothing`);
  return { cpu: ((await cpuOf(kind)) - before) / operations, rate: operations / seconds };
}

async function cpuOf(kind) {
  const { child } = servers.get(kind);
  const answer = new Promise((resolve) => child.once('message', resolve));
  child.send('cpu');
  const { cpu } = await answer;
  return cpu.user + cpu.system;
}

function total(talkers) {
  return talkers.reduce((sum, { replies }) => sum + replies, 0);
}

function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.round((sorted.length - 1) * share)];
}

function micro(values) {
  return `${percentile(values, 0.5).toFixed(1)} µs`;
}

function spread(values) {
  const [low, middle, high] = [0.1, 0.5, 0.9].map((share) => percentile(values, share).toFixed(2));
  return `**${middle}** (${low} to ${high})`;
}
