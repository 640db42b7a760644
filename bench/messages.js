// Messages with every server: what each costs, how many come through, and how long an answer takes.
import { Contender } from './contender.js';
import { contest } from './contest.js';
import { plain, socketIo } from './dialects.js';
import { percentile, ratios, spread } from './statistics.js';
import { Talk } from './talk.js';
import { floors, messageTargets } from './targets.js';

/** Those that talk. */
const SERVERS = {
  bare: 'bare ws, no check at all',
  guard: 'Sallyport on ws',
  'guard-fastify': 'Sallyport on Fastify',
  'guard-express': 'Sallyport on Express',
  'by-hand': 'ws, the checks by hand',
  'fastify-stack': '@fastify/websocket stack',
  'express-ws-stack': 'express-ws stack',
  'socket-io': 'Socket.IO',
};

export const LABELS = {
  ...SERVERS,
  // These are only connected to.
  'bare-address': 'bare ws, which asks for the address',
  'guard-express-behind': 'Sallyport on Express, behind ten middlewares',
  refusing: 'an empty 403, nothing looked at',
};

/** Starts every server in one shape. */
export async function startAll(shape) {
  const contenders = [];
  for (const name of Object.keys(SERVERS)) {
    contenders.push(await Contender.start(name, shape, { dialect: name === 'socket-io' ? socketIo : plain }));
  }
  return contenders;
}

/** One table: each server with so many messages in flight. */
export async function messages(contenders, { token, shape, inFlight, rounds, slice }) {
  const talk = new Talk({ token, connections: 50, inFlight, slice });
  const results = await contest(contenders, talk.work, rounds);
  talk.end();
  const rows = contenders.map(({ name }) => {
    const { cpu, rate } = results.get(name);
    const latencies = talk.latencies.get(name);
    const [p50, p99] = [0.5, 0.99].map((share) => percentile(latencies, share));
    return {
      name,
      cpu: spread(cpu),
      rate: spread(rate),
      p50,
      p99,
      ofBare: spread(ratios(rate, results.get('bare').rate)),
    };
  });
  const targets = messageTargets
    .filter((target) => target.shape === shape && target.inFlight === inFlight)
    .map((target) => {
      const [guard, against] = [results.get(target.guard), results.get(target.against)];
      return {
        what: `${shape}, ${inFlight} in flight: ${LABELS[target.guard]} against ${LABELS[target.against]}`,
        unit: 'of its throughput',
        got: spread(ratios(guard.rate, against.rate)),
        least: target.least,
        floor: inFlight === 1 ? floors.oneInFlight : undefined,
      };
    });
  return { shape, inFlight, rows, targets };
}
