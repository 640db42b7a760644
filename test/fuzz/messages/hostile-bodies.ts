import type { Random } from '../random.ts';
import { type Attack, messageOf, spelled } from './attack.ts';
import { bodyOf } from './bodies.ts';
import { text } from './texts.ts';
import { Entries, Odd, treeOf } from './tree.ts';

/** Texts that contain JSON syntax. */
const SYNTAX = [
  '":', '":"', '\\":', '\\\\":', '\\', '"', '\\"', '{"a":1}', '":"a","a":"', ' : ', '"a" :', '\\\\', '\\u0022:', '[{', '}]',
]; // biome-ignore format: a list of texts reads best as a block

function syntax(random: Random): string {
  let all = '';
  for (let left = 1 + random.below(4); left > 0; left--) all += random.pick(SYNTAX);
  return all;
}

/** Ten nested arrays. */
const NEST = new Odd('[[[[[[[[[[]]]]]]]]]]', Buffer.from([...Array(9).fill(0x91), 0x90]));

/** Notes with one text that must be refused. */
const UNCLEAN: readonly ((random: Random) => object)[] = [
  (random) => ({ title: random.pick(['eleven long', '\u202e12345678901']) }),
  () => ({ lines: ['fine', '<script>alert(1)</script>'] }),
  (random) => ({ by: { name: random.pick(['a b', '', "x'--", '../etc', 'con', 'é', '_23456789']) } }),
  (random) => ({
    links: { a: random.pick(['javascript:alert(1)', 'http://a', 'https://u:p@a/', '//a', ' https://a']) },
  }),
];

/** Bodies with bytes where the schema wants an object: in JavaScript a byte array is an object. */
const NO_OBJECTS: readonly ((bytes: Uint8Array) => readonly [type: string, body: object])[] = [
  (bytes) => ['prefs', { values: bytes, teams: {} }],
  (bytes) => ['prefs', { values: {}, teams: bytes }],
  (bytes) => ['note', { title: '', lines: [], links: bytes }],
  (bytes) => ['order', { id: 1, cash: 1, more: bytes }],
  (bytes) => [
    'loose',
    { id: 1, inner: { x: 1 }, items: [], pair: [{ u: '' }, 1], one: { k: 'p', v: 1 }, map: bytes },
  ],
  (bytes) => ['blend', { a: 1, b: bytes }],
  (bytes) => ['tree', { root: bytes }],
];

/** Attacks on schemas and sanitizers. */
export const onBodies: Readonly<Record<string, Attack>> = {
  'constructor.prototype inside': (random, dialect) => {
    const poison = { constructor: { prototype: random.pick([null, { isAdmin: true }]) } };
    const value = random.chance(0.5) ? poison : [poison];
    return { data: messageOf('any', { value }, random, dialect), sure: 'message_malformed' };
  },
  'a constructor that is harmless': (random, dialect) => ({
    data: messageOf('any', { value: { constructor: random.pick(['Ford', null, [], {}]) } }, random, dialect),
    sure: 'delivered',
  }),
  'texts like syntax': (random, dialect) => {
    const value = {
      [syntax(random)]: syntax(random),
      [`x${syntax(random)}`]: [syntax(random), syntax(random)],
    };
    return { data: messageOf('any', { value }, random, dialect), sure: 'delivered' };
  },
  'a repeated key among texts like syntax': (random, dialect) => {
    const key = syntax(random);
    const value = new Entries([
      [key, syntax(random)],
      [`x${syntax(random)}`, 1],
      [random.chance(0.5) ? key : spelled(key), syntax(random)],
    ]);
    const data = messageOf('any', { value: random.chance(0.5) ? value : [value] }, random, dialect);
    return { data, sure: dialect.codec === undefined ? 'message_malformed' : undefined };
  },
  'a fixed form with colons in its texts': (random, dialect) => {
    const body = treeOf({ room: 'a', text: syntax(random).slice(0, 20) }) as Entries;
    if (random.chance(0.3)) body.list.push(['text', ':']);
    if (random.chance(0.3)) body.list.pop();
    return { data: messageOf('say', body, random, dialect) };
  },
  'another key in the place of a missing one': (random, dialect) => {
    const [type, body] = random.pick([
      ['say', { room: 'a' }],
      ['trim', { a: 1 }],
      ['trim', { b: 'x' }],
      ['vote', {}],
      ['secret', { level: 1 }],
    ] as const);
    const zz = random.pick([1, 'x', null, text(random, 9), NEST]);
    return { data: messageOf(type, { ...body, zz }, random, dialect) };
  },
  'a number just beyond the bound': (random, dialect) => {
    const points = random.pick([1_000_000.1, -1_000_001, 2 ** 31]);
    return {
      data: messageOf('score', { player: 'a', points, level: 5 }, random, dialect),
      sure: 'message_malformed',
    };
  },
  'a text that no sanitizer takes': (random, dialect) => {
    const body = { title: 'a', lines: [], ...random.pick(UNCLEAN)(random) };
    return { data: messageOf('note', body, random, dialect), sure: 'message_invalid' };
  },
  'bytes in the place of an object': (random, dialect) => {
    const bytes = random.pick([Uint8Array.of(), Uint8Array.of(7), Uint8Array.of(1, 2, 3)]);
    const [type, body] = random.pick(NO_OBJECTS)(bytes);
    return { data: messageOf(type, body, random, dialect), sure: 'message_invalid' };
  },
  'a property that is stripped': (random, dialect) => {
    const type = random.pick(['trim', 'loose', 'blend', 'zodLoose']);
    const body = { ...bodyOf(type, random), isAdmin: random.pick([true, null, [], { a: 1 }]) };
    return { data: messageOf(type, body, random, dialect), sure: 'delivered' };
  },
};
