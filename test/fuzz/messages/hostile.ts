import type { Reason } from '@sallyport/core';
import type { Random } from '../random.ts';
import { bodyOf } from './bodies.ts';
import { type Dialect, pickId, wrap } from './dialect.ts';
import { escapedKey } from './json-text.ts';
import { packedOf, sizedBy32 } from './packed.ts';
import { text } from './texts.ts';
import { Entries, Odd, type Tree, treeOf } from './tree.ts';

/** A whole message that somebody made up to do harm. */
interface Hostile {
  readonly data: Tree | Uint8Array;
  /** What has to come of it, where that needs no reference. */
  readonly sure?: Reason | 'delivered';
}

type Attack = (random: Random, dialect: Dialect) => Hostile;

const spelled = (key: string): Odd => new Odd(escapedKey(key), packedOf(key, undefined as never, true));
const anyOf = (value: Tree, random: Random, { envelope }: Dialect): Entries =>
  wrap(envelope, 'any', new Entries([['value', value]]), pickId(random));
const typeKey = ({ envelope }: Dialect): string => (envelope === 'json-rpc' ? 'method' : 'type');

/** Texts that look like the syntax around them. */
const SYNTAX = [
  '":',
  '":"',
  '\\":',
  '\\\\":',
  '\\',
  '"',
  '\\"',
  '{"a":1}',
  '":"a","a":"',
  ' : ',
  '"a" :',
  '\\\\',
  '\\u0022:',
  '[{',
  '}]',
];

function syntaxText(random: Random): string {
  return Array.from({ length: 1 + random.below(4) }, () => random.pick(SYNTAX)).join('');
}

/** So many arrays or objects, closed or not, around nothing, where a value is meant to be. */
function nest(random: Random, dialect: Dialect): Hostile {
  const closed = random.chance(0.7);
  const inArrays = random.chance(0.6);
  const depth = random.chance(0.03) ? (inArrays ? 10_000 : 4_000) : 9 + random.below(200);
  const json = inArrays
    ? `${'['.repeat(depth)}${closed ? ']'.repeat(depth) : ''}`
    : `${'{"a":'.repeat(depth)}1${closed ? '}'.repeat(depth) : ''}`;
  const packed = Buffer.concat([
    Buffer.alloc(
      inArrays ? depth : 3 * depth,
      inArrays ? Uint8Array.of(0x91) : Uint8Array.of(0x81, 0xa1, 0x61),
    ),
    closed ? Uint8Array.of(0xc0) : Uint8Array.of(),
  ]);
  const deep = new Odd(json, packed);
  const type = random.pick(['any', 'tags', 'tree', 'say', 'shout', 'prefs', 'open']);
  const at: Entries =
    type === 'tags'
      ? new Entries([
          ['tags', [deep, deep]],
          ['matrix', []],
        ])
      : type === 'tree'
        ? new Entries([['root', deep]])
        : new Entries([['value', deep]]);
  return { data: wrap(dialect.envelope, type, at, pickId(random)), sure: 'message_malformed' };
}

const BARE: readonly Tree[] = [
  null,
  true,
  0,
  'say',
  '',
  [],
  [[]],
  ['say'],
  1.5,
  Uint8Array.of(),
  Uint8Array.of(1, 2),
];

export const attacks: Readonly<Record<string, Attack>> = {
  'a bare value': (random) => ({ data: random.pick(BARE), sure: 'message_malformed' }),
  'an empty object': (_random, { envelope }) => ({
    data: new Entries(),
    sure: envelope === 'flat' ? 'message_type_unknown' : 'message_malformed',
  }),
  nothing: (random, { codec }) => ({
    data: random.chance(0.5) || codec !== undefined ? Buffer.of() : Buffer.from(' \n\t'),
    sure: 'message_malformed',
  }),
  'deep nesting': nest,
  'a poisoned prototype in front': (random, dialect) => {
    const message = wrap(dialect.envelope, 'say', treeOf(bodyOf('say', random)), pickId(random));
    const value = random.pick<Tree>([
      new Entries([
        ['type', 'say'],
        ['isAdmin', true],
      ]),
      null,
      'x',
      [],
    ]);
    message.list.unshift([random.chance(0.5) ? '__proto__' : spelled('__proto__'), value]);
    return { data: message, sure: 'message_malformed' };
  },
  'constructor.prototype inside': (random, dialect) => {
    const poison = new Entries([
      ['constructor', new Entries([['prototype', new Entries([['isAdmin', true]])]])],
    ]);
    return {
      data: anyOf(random.chance(0.5) ? poison : [poison], random, dialect),
      sure: 'message_malformed',
    };
  },
  'a constructor that is harmless': (random, dialect) => ({
    data: anyOf(
      new Entries([['constructor', random.pick<Tree>(['Ford', null, [], new Entries()])]]),
      random,
      dialect,
    ),
    sure: 'delivered',
  }),
  'escaped keys': (random, dialect) => {
    const message = wrap(dialect.envelope, 'say', treeOf(bodyOf('say', random)), pickId(random));
    for (const entry of message.list) if (random.chance(0.7)) entry[0] = spelled(entry[0] as string);
    return { data: message, sure: 'delivered' };
  },
  'the type twice, once escaped': (random, dialect) => {
    const message = wrap(dialect.envelope, 'nobody', new Entries(), pickId(random));
    const again: [Odd, Tree] = [spelled(typeKey(dialect)), 'open'];
    message.list.splice(random.below(message.list.length + 1), 0, again);
    // Of a format without that rule the last one counts, for everybody.
    return { data: message, ...(dialect.codec === undefined && { sure: 'message_malformed' as const }) };
  },
  'texts like syntax': (random, dialect) => {
    const value = new Entries([
      [syntaxText(random), syntaxText(random)],
      [`x${syntaxText(random)}`, [syntaxText(random), syntaxText(random)]],
    ]);
    const [[first], [second]] = value.list as [[string, Tree], [string, Tree]];
    return first === second
      ? { data: anyOf(value, random, dialect) }
      : { data: anyOf(value, random, dialect), sure: 'delivered' };
  },
  'a repeated key among texts like syntax': (random, dialect) => {
    const key = syntaxText(random);
    const value = new Entries([
      [key, syntaxText(random)],
      [`x${syntaxText(random)}`, 1],
      [random.chance(0.5) ? key : spelled(key), syntaxText(random)],
    ]);
    const data = anyOf(random.chance(0.5) ? value : [value], random, dialect);
    return { data, ...(dialect.codec === undefined && { sure: 'message_malformed' as const }) };
  },
  'a fixed form with colons in its texts': (random, dialect) => {
    const body = new Entries([
      ['room', 'a'],
      ['text', syntaxText(random).slice(0, 20)],
    ]);
    if (random.chance(0.3)) body.list.push(['text', ':']);
    if (random.chance(0.3)) body.list.pop();
    return { data: wrap(dialect.envelope, 'say', body, pickId(random)) };
  },
  'another key in the place of a missing one': (random, dialect) => {
    const [type, body] = random.pick<[string, [string, Tree][]]>([
      ['say', [['room', 'a']]],
      ['trim', [['a', 1]]],
      ['trim', [['b', 'x']]],
      ['vote', []],
      ['secret', [['level', 1]]],
    ]);
    const value = random.pick<Tree>([
      1,
      'x',
      null,
      text(random, 9),
      new Odd('[[[[[[[[[[]]]]]]]]]]', Buffer.concat([Buffer.alloc(9, 0x91), Buffer.of(0x90)])),
    ]);
    return { data: wrap(dialect.envelope, type, new Entries([...body, ['zz', value]]), pickId(random)) };
  },
  'a number just beyond the bound': (random, dialect) => ({
    data: wrap(
      dialect.envelope,
      'score',
      treeOf({ player: 'a', points: random.pick([1_000_000.1, -1_000_001, 2 ** 31]), level: 5 }),
      pickId(random),
    ),
    sure: 'message_malformed',
  }),
  'a text that no sanitizer takes': (random, dialect) => {
    const [key, value] = random.pick<[string, Tree]>([
      ['title', 'eleven long'],
      ['title', '\u202e12345678901'],
      ['lines', ['fine', '<script>alert(1)</script>']],
      ['by', new Entries([['name', random.pick(['a b', '', "x'--", '../etc', 'con', 'é', '_23456789'])]])],
      [
        'links',
        new Entries([
          ['a', random.pick(['javascript:alert(1)', 'http://a', 'https://u:p@a/', '//a', ' https://a'])],
        ]),
      ],
    ]);
    const body = new Entries([
      ['title', 'a'],
      ['lines', []],
      [key, value],
    ]);
    // The one that is refused in the place of the one that is not.
    body.list.splice(0, 2, ...body.list.slice(0, 2).filter(([name]) => name !== key));
    return { data: wrap(dialect.envelope, 'note', body, pickId(random)), sure: 'message_invalid' };
  },
  'bytes in the place of an object': (random, dialect) => {
    const bytes = random.pick([Uint8Array.of(), Uint8Array.of(7), Uint8Array.of(1, 2, 3)]);
    const [type, body] = random.pick<[string, [string, Tree][]]>([
      [
        'prefs',
        [
          ['values', bytes],
          ['teams', new Entries()],
        ],
      ],
      [
        'prefs',
        [
          ['values', new Entries()],
          ['teams', bytes],
        ],
      ],
      [
        'note',
        [
          ['title', ''],
          ['lines', []],
          ['links', bytes],
        ],
      ],
      [
        'blend',
        [
          ['a', 1],
          ['b', bytes],
        ],
      ],
      [
        'order',
        [
          ['id', 1],
          ['cash', 1],
          ['more', bytes],
        ],
      ],
      ['tree', [['root', bytes]]],
      [
        'zod',
        [
          ['room', 'a'],
          ['count', 1],
          ['tags', bytes],
        ],
      ],
    ]);
    const data = wrap(dialect.envelope, type, new Entries(body), pickId(random));
    // JSON has numbers in an array there, which is no object either, but may be tags.
    return type === 'zod' && dialect.codec === undefined ? { data } : { data, sure: 'message_invalid' };
  },
  'a property that is stripped': (random, dialect) => {
    const type = random.pick(['trim', 'loose', 'blend', 'zodLoose']);
    const body = treeOf(bodyOf(type, random)) as Entries;
    body.list.splice(random.below(body.list.length + 1), 0, [
      'isAdmin',
      random.pick<Tree>([true, null, [], new Entries([['a', 1]])]),
    ]);
    return { data: wrap(dialect.envelope, type, body, pickId(random)), sure: 'delivered' };
  },
  'an answer': (random, { envelope }) => ({
    data: treeOf({ jsonrpc: '2.0', id: 1, [random.pick(['result', 'error'])]: { code: 1, message: 'x' } }),
    sure: envelope === 'flat' ? 'message_type_unknown' : 'message_malformed',
  }),
  'a message of the guard': (_random, dialect) => ({
    data: wrap(dialect.envelope, 'error', treeOf({ code: 'internal', message: 'x' }), undefined),
    sure: 'message_type_unknown',
  }),
  'a length that is a lie': (random, { codec }) => {
    const pieces = ['type', 'any', 'value'].map((piece) => packedOf(piece, random, true));
    const lie = sizedBy32(
      random.pick([0xdb, 0xc6, 0xdd, 0xdf]),
      random.pick([2 ** 25, 2 ** 31, 2 ** 32 - 1]),
    );
    const data =
      codec === undefined
        ? Buffer.from('{"type":"any","value":[')
        : Buffer.concat([Buffer.of(0x82), ...pieces, lie]);
    return { data, sure: 'message_malformed' };
  },
};
