// How cost grows: with open connections, with message types, with receivers of a broadcast; and what a connection holds.
import { setTimeout as wait } from 'node:timers/promises';
import { Contender } from './contender.js';
import { contest } from './contest.js';
import { open } from './load.js';
import { median, ratios, spread } from './statistics.js';
import { Talk } from './talk.js';

/** CPU of a message while so many connections are open, of which 50 talk; as a quotient of the cost with the fewest. */
export async function overConnections(token, counts, { rounds, slice }) {
  const contenders = await started(counts, 'echo', () => ({}));
  const idle = [];
  for (const contender of contenders)
    idle.push(...(await opened(contender, token, contender.name - TALKERS)));
  const points = await talked(contenders, token, { rounds, slice });
  // Nobody answers a ping on them: they are to be open still.
  if (idle.some((socket) => socket.destroyed || socket.readableEnded))
    throw new Error('Some connections did not last.');
  for (const socket of idle) socket.destroy();
  end(contenders);
  return points;
}

/** CPU of a message where the policy has so many types. */
export async function overTypes(token, counts, { rounds, slice }) {
  const contenders = await started(counts, 'reply', (types) => ({ types }));
  const points = await talked(contenders, token, { rounds, slice });
  end(contenders);
  return points;
}

/** Bytes that one idle connection takes on each server, at so many open ones. */
export async function memory(token, names, counts) {
  const series = [];
  for (const name of names) {
    const contender = await Contender.start(name, 'echo');
    // The first ones compile code, which stays.
    const first = await opened(contender, token, 500);
    const before = await held(contender);
    const sockets = [];
    const points = [];
    for (const count of counts) {
      sockets.push(...(await opened(contender, token, count - sockets.length)));
      points.push([count, ((await held(contender)) - before) / count]);
    }
    for (const socket of [...first, ...sockets]) socket.destroy();
    contender.end();
    series.push({ name, points });
  }
  return series;
}

/** CPU for one receiver of a broadcast, beside that of a loop of `ws.send`. */
export async function broadcast(token, counts, rounds) {
  const rows = [];
  for (const count of counts) {
    const contenders = [];
    for (const name of ['guard', 'loop'])
      contenders.push(await Contender.start(`broadcast-${name}`, 'echo', { name }));
    const receivers = new Map();
    for (const contender of contenders) {
      const sockets = await opened(contender, token, count);
      const counter = { bytes: 0 };
      for (const socket of sockets)
        socket.on('data', ({ length }) => {
          counter.bytes += length;
        });
      receivers.set(contender, { sockets, counter });
    }
    const results = await contest(
      contenders,
      (contender) => toldAll(contender, receivers.get(contender), count),
      rounds,
    );
    const [guard, loop] = ['guard', 'loop'].map((name) => results.get(name));
    rows.push({
      count,
      guard: median(guard.cpu),
      loop: median(loop.cpu),
      ratio: spread(ratios(guard.cpu, loop.cpu)),
    });
    for (const { sockets } of receivers.values()) for (const socket of sockets) socket.destroy();
    end(contenders);
  }
  return rows;
}

const TALKERS = 50;
/** Milliseconds within which a broadcast has to be with everybody. */
const PATIENCE = 30_000;
/** Messages to all in one slice. */
const TIMES = 5;
const WORDS = { room: 'lobby', text: 'a message of a length that people write in a chat' };

async function toldAll(contender, { counter }, count) {
  const before = counter.bytes;
  const { bytes } = await contender.ask({ broadcast: WORDS, times: TIMES });
  const deadline = performance.now() + PATIENCE;
  while (counter.bytes - before < bytes * count * TIMES) {
    if (performance.now() > deadline) throw new Error(`${contender.name} has not told everybody`);
    await wait(2);
  }
  return count * TIMES;
}

/** One server for each count, which goes by that name. */
async function started(counts, shape, optionsOf) {
  const contenders = [];
  for (const count of counts)
    contenders.push(await Contender.start('guard', shape, { name: count, ...optionsOf(count) }));
  return contenders;
}

async function talked(contenders, token, { rounds, slice }) {
  const talk = new Talk({ token, connections: TALKERS, inFlight: 20, slice });
  const results = await contest(contenders, talk.work, rounds);
  talk.end();
  const least = results.get(contenders[0].name).cpu;
  return contenders.map(({ name }) => {
    const { cpu } = results.get(name);
    return { count: name, cpu: median(cpu), ratio: spread(ratios(cpu, least)) };
  });
}

async function opened({ port, dialect }, token, count) {
  const sockets = [];
  while (sockets.length < count) {
    const some = Math.min(50, count - sockets.length);
    sockets.push(...(await Promise.all(Array.from({ length: some }, () => open(port, token, dialect)))));
  }
  return sockets;
}

async function held(contender) {
  const { heapUsed, external } = await contender.memory();
  return heapUsed + external;
}

function end(contenders) {
  for (const contender of contenders) contender.end();
}
