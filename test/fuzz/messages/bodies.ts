import type { Random } from '../random.ts';
import { anything, integer, list, number, text, word } from './texts.ts';

type Body = Record<string, unknown>;

/** Leaves out some of the optional properties. */
function some(random: Random, body: Body, optional: Body): Body {
  for (const [name, value] of Object.entries(optional)) if (random.chance(0.5)) body[name] = value;
  return body;
}

/** Characters that `.` matches, for the keys of records. */
function line(random: Random): string {
  return text(random, 6).replace(/[\n\r\u2028\u2029]/g, '');
}

function uuid(random: Random): string {
  let hex = '';
  while (hex.length < 36) {
    const isDash = [8, 13, 18, 23].includes(hex.length);
    hex += isDash ? '-' : '0123456789abcdefABCDEF'[random.below(22)];
  }
  return hex;
}

const node = (random: Random, depth: number): Body =>
  some(
    random,
    { v: integer(random, -9, 9) },
    depth > 0 ? { kids: list(random, 2, () => node(random, depth - 1)) } : {},
  );

const point = (random: Random): Body => ({ x: integer(random, -100, 100), y: integer(random, -100, 100) });

/** A text of which the sanitizer leaves at most ten code points. */
const cleanable = (random: Random): string =>
  text(random, 7) +
  (random.chance(0.3) ? random.pick(['\u0000', '\u001b\u0007', '\u202e\u2066', '\r\n']) : '');

const LINKS = [
  'https://example.com/',
  'https://example.com',
  'HTTPS://EXAMPLE.com:443/a',
  'https://example.com/a?b=c&d#e',
  'https://[::1]:8443/',
];

/** Bodies that the schema of each type accepts. */
const bodies: Readonly<Record<string, (random: Random) => Body>> = {
  say: (random) => ({ room: word(random, 12), text: text(random, 20, 1) }),
  move: (random) => ({
    from: point(random),
    to: point(random),
    speed: random.pick([0.001, 5e-324, 1, 9.75, 10, random.next() * 9 + 0.1]),
  }),
  score: (random) => ({ player: text(random, 16), points: number(random), level: random.below(200_000) * 5 }),
  tags: (random) => ({
    tags: [...new Set(list(random, 6, () => text(random, 8)))],
    matrix: list(random, 4, () => list(random, 4, () => random.below(10))),
  }),
  pair: (random) =>
    some(
      random,
      { pair: [text(random, 8), random.below(10), { on: random.chance(0.5) }] },
      { note: text(random, 8), none: null },
    ),
  prefs: (random) => ({
    values: Object.fromEntries(
      list(random, 4, () => [word(random, 6), random.pick([text(random, 8), number(random), null])]),
    ),
    teams: Object.fromEntries(list(random, 3, () => [line(random), { size: random.below(100) }])),
  }),
  shape: (random) =>
    random.pick([
      () => ({ kind: 'circle', r: integer(random, 1, 50) / 2 }),
      () => ({ kind: 'rect', w: integer(random, 1, 50), h: integer(random, 1, 50) }),
      () => ({ kind: 'path', points: list(random, 5, () => [number(random), number(random)]) }),
    ])(),
  order: (random) =>
    some(
      random,
      {
        id: random.below(1_000),
        ...random.pick([{ card: text(random, 5) }, { cash: number(random) }, { card: 'c', cash: 1 }]),
      },
      { note: text(random, 8), more: { deep: random.chance(0.5) } },
    ),
  profile: (random) =>
    some(
      random,
      { uid: uuid(random) },
      {
        born: random.pick(['2000-02-29', '1999-12-31', '2024-02-29', '0001-01-01', '2023-02-28']),
        ip: random.pick(['127.0.0.1', '0.0.0.0', '255.255.255.255', '10.1.99.199']),
        mood: random.pick(['good', 'bad', 3, false]),
      },
    ),
  note: (random) =>
    some(
      random,
      { title: cleanable(random), lines: list(random, 4, () => cleanable(random)) },
      {
        by: random.pick(['anon', { name: `_${word(random, 7)}` }]),
        links: Object.fromEntries(list(random, 2, () => [word(random, 4), random.pick(LINKS)])),
      },
    ),
  plain: (random) => {
    const extra = random.chance(0.5);
    const body: Body = extra
      ? { kind: random.pick(['b', 3, null]), extra: random.chance(0.5) }
      : { kind: 'a', list: [text(random, 5), ...list(random, 3, () => integer(random, -9, 9))] };
    return some(
      random,
      { ...body, pick: random.pick([-4, 7, 123]) },
      {
        map: {
          'x-a': text(random, 6),
          count: integer(random, -5, 5),
          ...(random.chance(0.5) && { 'x-': '' }),
        },
        never: random.pick(['text', true, null, []]),
      },
    );
  },
  tree: (random) => ({ root: node(random, 1) }),
  trim: (random) => ({ a: random.below(10), b: word(random, 6) }),
  loose: (random) => ({
    id: random.below(100),
    inner: { x: number(random) },
    items: list(random, 3, () => ({ n: random.below(10) })),
    pair: [{ u: text(random, 4) }, random.below(10)],
    one: random.pick([
      { k: 'p', v: random.below(10) },
      { k: 'q', w: text(random, 4) },
    ]),
    map: Object.fromEntries(list(random, 2, () => [word(random, 4), { z: random.chance(0.5) }])),
  }),
  blend: (random) => ({ a: random.below(10), b: { c: random.below(10) } }),
  zod: (random) =>
    some(
      random,
      { room: word(random, 6), count: random.below(51) },
      { mode: random.pick(['slow', 'fast']), tags: list(random, 3, () => word(random, 5)) },
    ),
  zodLoose: (random) => some(random, { n: random.below(10) }, { inner: { s: word(random, 5) } }),
  secret: (random) => ({ level: random.below(6), word: text(random, 10) }),
  vote: (random) => ({ n: random.below(10) }),
  nobody: (random) => some(random, {}, { why: text(random, 10) }),
  any: (random) => ({ value: anything(random, 5) }),
  open: (random) =>
    some(random, {}, { a: random.below(10), b: anything(random, 2), [`x${text(random, 5)}`]: 1 }),
  wide: (random) => Object.fromEntries(Array.from({ length: 22 }, (_, i) => [`k${i}`, random.below(10)])),
};

/** Types with an asynchronous rule are chosen less often, since the fuzz has to wait for each answer. */
const RARE = ['vote'];
const COMMON = Object.keys(bodies).filter((type) => !RARE.includes(type));

export function pickType(random: Random): string {
  return random.chance(0.015) ? random.pick(RARE) : random.pick(COMMON);
}

export function bodyOf(type: string, random: Random): Body {
  const make = bodies[type];
  if (make === undefined) throw new RangeError(`There is no body for ${type}.`);
  return make(random);
}
