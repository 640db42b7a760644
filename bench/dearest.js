// What the dearest refusal costs: handshakes and messages that are made to cost the guard as much as they can, beside ordinary ones.
import { anonymous, createGuard, Type } from '@sallyport/core';
import { HOST, ORIGIN } from './common.js';
import { Contender } from './contender.js';
import { contest } from './contest.js';
import { admit, handshakeRequest, NullSocket } from './inside.js';
import { open } from './load.js';
import { ratios, spread } from './statistics.js';

/** Bytes that each handshake is filled up with. Node refuses more than 16 KiB of headers itself. */
const ROOM = 15_000;

const list = (make, separator) => {
  const parts = [];
  for (let i = 0, bytes = 0; bytes < ROOM; i++) {
    parts.push(make(i));
    bytes += parts.at(-1).length + separator.length;
  }
  return parts.join(separator).slice(0, ROOM);
};

/** What a client may fill a handshake with. */
const filled = {
  'parameters in the target': { target: `/chat?${list((i) => `p${i}=1`, '&')}` },
  'one parameter, repeated': { target: `/chat?${list(() => 'token=a', '&')}` },
  'malformed escapes in the target': { target: `/chat?${list(() => '%zz', '')}` },
  'parts of a path': { target: `/${list(() => 'a', '/')}` },
  'a forwarding list': { headers: [`X-Forwarded-For: ${list(() => '127.0.0.1', ', ')}`] },
  'forwarding lines': {
    headers: list(() => '127.0.0.1', '\n')
      .split('\n')
      .slice(0, 90)
      .map((hop) => `X-Forwarded-For: ${hop}`),
  },
  cookies: { headers: [`Cookie: ${list((i) => `c${i}=1`, '; ')}`] },
  'one cookie, repeated': { headers: [`Cookie: ${list(() => 'token=a', '; ')}`] },
  'offered subprotocols': { headers: [`Sec-WebSocket-Protocol: ${list((i) => `s${i}`, ', ')}`] },
  'offered extensions': { headers: [`Sec-WebSocket-Extensions: ${list((i) => `x-${i}; a=${i}`, ', ')}`] },
  'one long token': { token: list(() => 'eyJhbGciOiJIUzI1NiJ9', '') },
  'a token of many parts': { token: list(() => 'a', '.') },
  'a long origin': { origin: `https://${list(() => 'a', '.')}` },
  'a long host': { host: list(() => 'a', '.') },
};

/**
 * Microseconds of CPU of each kind of refused handshake beside an ordinary one: behind all checks, and where the rate of
 * handshakes refuses before anything is read (`limited`).
 */
export async function dearestHandshake(count, rounds, warmUp) {
  const rows = [];
  for (const limited of [false, true]) {
    const server = await Contender.start('guard-many-sources', 'echo', { limited });
    const refuse = async ({ handshake }) => {
      const { token = 'a.b.c', ...from } = handshake;
      for (let i = 0; i < count; i++) {
        const answer = await open(server.port, token, undefined, from).catch((error) => error);
        if (!/ 4\d\d /.test(answer.message)) throw new Error(`it was not refused: ${answer.message}`);
      }
      return count;
    };
    const kinds = Object.entries({ ordinary: { origin: 'https://evil.example' }, ...filled });
    const contenders = kinds.map(([name, handshake]) => ({ name, handshake, cpu: () => server.cpu() }));
    const measured = await contest(contenders, refuse, rounds, warmUp);
    server.end();
    const ordinary = measured.get('ordinary').cpu;
    for (const [name, { cpu }] of measured)
      rows.push({
        name: limited ? `${name}, beyond the rate` : name,
        cost: spread(cpu),
        ratio: spread(ratios(cpu, ordinary)),
      });
  }
  return rowsOf(rows);
}

const times = (count, make) => Array.from({ length: count }, (_, i) => make(i));
const text = () => Type.String({ maxLength: 200 });
const tagged = (count, inner) =>
  Type.Union(times(count, (i) => Type.Object({ in: inner, kind: Type.Literal(`form ${i}`) })));
const untagged = (count, inner) =>
  Type.Union(
    times(count, (i) => Type.Object({ in: Type.Optional(inner), [`p${i}`]: Type.Optional(text()) })),
  );
const many = (schema) => Type.Object({ list: Type.Array(schema) });
const tree = Type.Cyclic(
  {
    Node: Type.Union(
      ['plus', 'times'].map((kind) =>
        Type.Object({ in: Type.Optional(Type.Ref('Node')), a: text(), kind: Type.Literal(kind) }),
      ),
    ),
  },
  'Node',
);
const chain = (length, end) =>
  times(length, () => 0).reduce((inner) => ({ in: inner, a: 'x', kind: 'times' }), end);

/** A schema, a message that fits it, and one of the same size with one mistake in it. */
const shapes = {
  'a flat message': [Type.Object({ text: text() }), { text: 'x'.repeat(100) }, { text: 1 }],
  'long lists of texts': [
    many(text()),
    { list: times(900, () => 'x') },
    { list: [...times(899, () => 'x'), 1] },
  ],
  '30 forms in 30 forms': [
    many(tagged(30, tagged(30, text()))),
    { list: times(100, () => ({ kind: 'form 29', in: { kind: 'form 29', in: 'x' } })) },
    { list: times(100, (i) => ({ kind: 'form 29', in: { kind: 'form 29', in: i === 99 ? 1 : 'x' } })) },
  ],
  '20 forms in 20 forms that no tag tells apart': [
    many(untagged(20, untagged(20, text()))),
    { list: times(100, () => ({ in: { in: 'x', p19: 'x' }, p19: 'x' })) },
    { list: times(100, () => ({ in: { in: 'x', p19: 1 }, p19: 'x' })) },
  ],
  'a grid of literals': [
    many(Type.Array(Type.Union(times(20, (i) => Type.Literal(i))))),
    { list: times(20, () => times(300, () => 19)) },
    { list: times(20, (row) => times(300, (i) => (row === 19 && i === 299 ? 20 : 19))) },
  ],
  'forms in themselves': [
    many(tree),
    { list: times(8, () => chain(14, { a: 'x', kind: 'times' })) },
    { list: times(8, (i) => chain(14, { a: i === 7 ? 1 : 'x', kind: 'times' })) },
  ],
};

/** Nanoseconds of a refused message of each shape, with both ways of treating unknown properties, beside the dearest accepted one. */
export async function dearestMessage(rounds, repeats = 20) {
  const kinds = [];
  for (const unknownProperties of ['refuse', 'strip']) {
    for (const [name, [schema, right, wrong]] of Object.entries(shapes)) {
      const guard = guardOf(schema, unknownProperties);
      const admission = await admit(guard, handshakeRequest('none'));
      let handled = 0;
      const receiver = admission.open(
        new NullSocket(),
        (connection) => void connection.on('say', () => void handled++),
      );
      // With `strip`, whatever is accepted has something to leave out.
      const accepted = Buffer.from(
        JSON.stringify({ type: 'say', ...right, ...(unknownProperties === 'strip' && { more: 1 }) }),
      );
      const refused = Buffer.from(JSON.stringify({ type: 'say', ...wrong }));
      kinds.push({
        name: `${name}, ${unknownProperties}`,
        guard,
        receiver,
        accepted,
        refused,
        handled: () => handled,
      });
    }
  }
  const costs = new Map(kinds.map(({ name }) => [name, { accepted: [], refused: [] }]));
  for (let round = -3; round < rounds; round++) {
    for (const { name, receiver, accepted, refused } of kinds) {
      const [taken, denied] = [accepted, refused].map((bytes) => nanoseconds(receiver, bytes, repeats));
      if (round < 0) continue;
      costs.get(name).accepted.push(taken);
      costs.get(name).refused.push(denied);
    }
  }
  for (const { name, guard, receiver, handled } of kinds) {
    if (handled() !== repeats * (rounds + 3)) throw new Error(`${name}: ${handled()} messages were handled`);
    receiver.closed(1000);
    await guard.close();
  }
  const [, dearest] = [...costs].reduce((one, other) =>
    median(other[1].accepted) > median(one[1].accepted) ? other : one,
  );
  return rowsOf(
    [...costs].map(([name, { accepted, refused }]) => ({
      name,
      accepted: spread(accepted),
      cost: spread(refused),
      ratio: spread(ratios(refused, dearest.accepted)),
    })),
  );
}

/** The rows, and the one with the greatest ratio. */
function rowsOf(rows) {
  return {
    rows,
    dearest: rows.reduce((one, other) => (other.ratio.median > one.ratio.median ? other : one)),
  };
}

function median(values) {
  return spread(values).median;
}

function nanoseconds(receiver, bytes, repeats) {
  const from = performance.now();
  for (let i = 0; i < repeats; i++) receiver.receive(bytes, false);
  return ((performance.now() - from) * 1e6) / repeats;
}

/** A guard of one message, whose rates stop nothing: what counts is the cost of one. */
function guardOf(say, unknownProperties) {
  const endless = { rate: '1000000000/s', burst: 1_000_000_000 };
  return createGuard({
    origins: [ORIGIN],
    hosts: [HOST],
    auth: [anonymous()],
    messages: { say },
    unknownProperties,
    limits: {
      messages: endless,
      bytes: { rate: '10000MiB/s', burst: '10000MiB' },
      violations: 1_000_000,
      handshakes: endless,
    },
    logger: false,
  });
}
