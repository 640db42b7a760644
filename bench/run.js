// `node bench/run.js [--quick] [--against REV]`: every comparison, written to bench/RESULTS.md and bench/plots; `--quick` is a
// look in under a minute, and is only printed; `--against REV` sets the working tree beside that revision, and prints, too.
import { mkdirSync, writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { against } from './against.js';
import { argumentsOf } from './arguments.js';
import { Contender } from './contender.js';
import { contest } from './contest.js';
import { dearestHandshake, dearestMessage } from './dearest.js';
import { broadcast, memory, overConnections, overTypes } from './growth.js';
import { fromForeignOrigin, withIdle, withKnownToken, withNewTokens } from './handshakes.js';
import { remember, withEarlier } from './history.js';
import { LABELS, messages, startAll } from './messages.js';
import { million } from './million.js';
import { ownWork } from './own-work.js';
import { pinLoad } from './pinning.js';
import { plotsOf } from './plots-of.js';
import { report } from './report.js';
import { ratios, spread } from './statistics.js';
import {
  allocationTargets,
  behindTarget,
  dearestTargets,
  flatTarget,
  floors,
  handshakeTargets,
  memoryTarget,
  ownWorkTarget,
  stackTargets,
} from './targets.js';
import { signToken } from './token.js';

const pins = pinLoad();
Contender.core = pins.server;
progress(pins.said);
const { quick, against: base } = argumentsOf(process.argv.slice(2));
if (base !== undefined) {
  const few = { rounds: 20, warmUp: 5, handshakes: 50, messageRounds: 5, slice: 80 };
  const many = { rounds: 200, warmUp: 200, handshakes: 50, messageRounds: 21, slice: 300 };
  console.log(await against(base, quick ? few : many, progress));
  process.exit();
}
const effort = quick
  ? {
      rounds: 5,
      slice: 60,
      handshakes: 50,
      handshakeRounds: 5,
      warmUp: 2,
      allocating: 600,
    }
  : {
      rounds: 21,
      slice: 300,
      handshakes: 50,
      handshakeRounds: 250,
      warmUp: 200,
      allocating: 3_000,
      connections: [50, 1_000, 10_000],
      types: [1, 10, 100],
      receivers: [10, 1_000, 5_000],
      addresses: 1_000_000,
    };

setFlagsFromString('--expose-gc');
globalThis.gc = runInNewContext('gc');
const token = await signToken();
const results = { effort, quick, pinned: pins.said, targets: [], tables: [], handshakes: [], traffic: [] };

for (const shape of ['echo', 'reply']) {
  const contenders = await startAll(shape);
  for (const inFlight of [20, 1]) {
    progress(`${shape}, ${inFlight} in flight`);
    const { targets, ...table } = await messages(contenders, { token, shape, inFlight, ...effort });
    results.tables.push(table);
    results.targets.push(...targets);
  }
  if (shape === 'echo') await handshakes(contenders);
  for (const contender of contenders) contender.end();
}

progress('the guard’s own work');
results.own = await ownWork(quick ? 5 : 41);
results.targets.push({
  what: 'the guard’s own work on a message',
  unit: 'of its JSON.parse',
  got: results.own.ratio,
  most: ownWorkTarget,
  floor: floors.ownWork,
});

progress('the dearest refusals');
results.dearestHandshake = await dearestHandshake(quick ? 5 : 40, effort.rounds, quick ? 1 : 10);
results.dearestMessage = await dearestMessage(effort.rounds, quick ? 2 : 10);
results.targets.push(
  {
    what: `the dearest refused handshake of 16 KiB (${results.dearestHandshake.dearest.name})`,
    unit: 'of the CPU of an ordinary refused one',
    got: results.dearestHandshake.dearest.ratio,
    most: dearestTargets.handshake,
  },
  {
    what: `the dearest refused message (${results.dearestMessage.dearest.name})`,
    unit: 'of the time of the dearest accepted one',
    got: results.dearestMessage.dearest.ratio,
    most: dearestTargets.message,
  },
);

if (!quick) await growth();

if (!quick) results.targets = withEarlier(results.targets);
const text = report(results);
if (!quick) {
  remember(results.targets);
  writeFileSync(new URL('RESULTS.md', import.meta.url), text);
  mkdirSync(new URL('plots/', import.meta.url), { recursive: true });
  for (const [name, svg] of Object.entries(plotsOf(results)))
    writeFileSync(new URL(`plots/${name}.svg`, import.meta.url), svg);
}
console.log(text);

/**
 * Handshakes with each server; the refused ones beside accepted ones of bare ws. Code is compiled after some ten
 * thousand of them, since each runs it but once; what refuses is run by the others, too.
 */
async function handshakes(contenders) {
  const { handshakeRounds: rounds, handshakes: count, warmUp } = effort;
  const accept = withKnownToken(token, count);
  const refuse = fromForeignOrigin(token, count);
  const some = contenders.filter(({ name }) => ['bare', 'guard', 'by-hand'].includes(name));
  const address = await Contender.start('bare-address', 'echo');
  const refusing = await Contender.start('refusing', 'echo');
  const behind = await Contender.start('guard-express-behind', 'echo');
  const briefly = Math.ceil(warmUp / 4);
  const newTokens = await withNewTokens(count, rounds + warmUp);
  const kinds = [
    ['known', 'a token seen before', [...contenders, address], accept, warmUp],
    ['fresh', 'a token of its own', contenders, newTokens, warmUp],
    [
      'refused',
      'refused for its origin',
      [...some, refusing, behind],
      (one) => (one.name === 'bare' ? accept(one) : refuse(one)),
      briefly,
    ],
  ];
  for (const [kind, what, asked, work, before] of kinds) {
    progress(`handshakes, ${what}`);
    add(kind, what, await withIdle(asked, token, () => contest(asked, work, rounds, before)));
  }
  progress('allocations of handshakes');
  await allocations(contenders);
  address.end();
  refusing.end();
  behind.end();
}

/** What a handshake allocates and promotes, with code that the rounds before have compiled. */
async function allocations(contenders) {
  const named = (wanted) => contenders.find(({ name }) => name === wanted);
  const accept = withKnownToken(token, effort.allocating);
  const kinds = [
    ['bare', 'bare', accept],
    ['guard', 'guard', accept],
    ['guard-fastify', 'guard-fastify', accept],
    ['guard-express', 'guard-express', accept],
    ['refused', 'guard', fromForeignOrigin(token, effort.allocating)],
  ];
  for (const [kind, server, work] of kinds) {
    const contender = named(server);
    const runs = await withIdle([contender], token, async () => {
      const seen = [];
      while (seen.length < (quick ? 1 : 3)) seen.push(await contender.traffic(work));
      return seen;
    });
    const what = `${LABELS[server]}${kind === 'refused' ? ', a foreign origin refused' : ''}`;
    const [allocated, promoted] = ['allocated', 'promoted'].map((of) => spread(runs.map((run) => run[of])));
    results.traffic.push({ what, allocated, promoted });
    if (kind === 'bare') continue;
    results.targets.push({
      what: `bytes that a handshake allocates: ${what}`,
      unit: 'bytes',
      got: allocated,
      most: allocationTargets[kind],
      digits: 0,
    });
  }
}

/** How cost and memory grow: minutes of work, which a quick look does without. */
async function growth() {
  progress('growth');
  results.connections = await overConnections(token, effort.connections, effort);
  for (const { count, ratio } of results.connections.slice(1))
    results.targets.push({
      what: `a message with ${count.toLocaleString('en')} open connections`,
      unit: `of its CPU with ${effort.connections[0]}`,
      got: ratio,
      most: flatTarget,
      floor: floors.flat,
    });
  results.types = await overTypes(token, effort.types, effort);
  results.memory = await memory(token, ['bare', 'guard', 'by-hand'], effort.connections);
  const [bare, guard] = results.memory.map(({ points }) => points.at(-1)[1]);
  results.targets.push({
    what: `an idle connection, ${effort.connections.at(-1).toLocaleString('en')} open`,
    unit: 'bytes more than bare ws',
    got: { median: guard - bare },
    most: memoryTarget,
    digits: 0,
  });
  results.broadcast = await broadcast(token, effort.receivers, effort.rounds);
  progress('a million addresses');
  results.million = await million(effort.addresses);
}

function add(kind, what, measured) {
  const rows = [...measured].map(([name, { cpu }]) => ({
    name,
    cpu: spread(cpu),
    ofBare: spread(ratios(cpu, measured.get('bare').cpu)),
  }));
  results.handshakes.push({ what, rows });
  const [bare, guard] = ['bare', 'guard'].map((name) => measured.get(name).cpu);
  results.targets.push({
    what: `handshake, ${what}`,
    unit: 'of the CPU of an accepted one of bare ws',
    got: spread(ratios(guard, bare)),
    most: handshakeTargets[kind],
    floor: floors[kind],
  });
  const also = (one, other, unit, most) =>
    results.targets.push({
      what: `handshake, ${what}: ${LABELS[one]}`,
      unit,
      got: spread(ratios(measured.get(one).cpu, measured.get(other).cpu)),
      most,
    });
  if (kind === 'refused')
    also('guard-express-behind', 'bare', 'of the CPU of an accepted one of bare ws', behindTarget);
  if (kind === 'known')
    for (const { guard: one, against: stack, most } of stackTargets)
      also(one, stack, `of the CPU of ${LABELS[stack]}`, most);
}

function progress(what) {
  process.stderr.write(`${what}\n`);
}
