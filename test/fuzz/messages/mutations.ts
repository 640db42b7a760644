import type { EnvelopeName } from '@sallyport/core';
import type { Random } from '../random.ts';
import { spelled } from './attack.ts';
import { pickType } from './bodies.ts';
import { wrap } from './dialect.ts';
import { ALIENS, NUMBERS, TYPES, UNNAMED } from './oddities.ts';
import { anything, list, oddText } from './texts.ts';
import {
  type Branch,
  branches,
  Entries,
  Odd,
  objects,
  removeAt,
  replaceAt,
  type Tree,
  treeAt,
  treeOf,
} from './tree.ts';

/** Changes a message in one way. Returns it, or another one in its place. */
export type Mutation = (message: Tree, random: Random, envelope: EnvelopeName) => Tree;

/** Mostly the body alone, if the envelope separates it: an error in the envelope would hide errors in the body. */
function aim(message: Tree, random: Random): Tree {
  if (!(message instanceof Entries) || random.chance(0.15)) return message;
  return message.list.find(([key]) => key === 'data' || key === 'params')?.[1] ?? message;
}

/** A mutation of one place. */
const somewhere =
  (change: (branch: Branch, random: Random) => void): Mutation =>
  (message, random) => {
    const all = branches(aim(message, random));
    if (all.length > 0) change(random.pick(all), random);
    return message;
  };

/** A mutation of one object. */
const inSome =
  (change: (object: Entries, random: Random) => void): Mutation =>
  (message, random) => {
    const all = objects(aim(message, random));
    if (all.length > 0) change(random.pick(all), random);
    return message;
  };

/** A mutation of the value of an envelope's property. */
const ofEnvelope =
  (names: readonly string[], make: (random: Random) => Tree): Mutation =>
  (message, random) => {
    if (!(message instanceof Entries)) return message;
    const index = message.list.findIndex(([key]) => names.includes(key as string));
    if (index === -1) message.list.push([random.pick(names), make(random)]);
    else replaceAt({ holder: message, index }, make(random));
    return message;
  };

function insert(object: Entries, random: Random, key: string | Odd, value: Tree): void {
  object.list.splice(random.below(object.list.length + 1), 0, [key, value]);
}

const unlikely = (random: Random): Tree =>
  random.chance(0.2)
    ? random.pick(ALIENS)
    : random.chance(0.2)
      ? random.pick(NUMBERS)
      : treeOf(anything(random, 2));

export const mutations: Readonly<Record<string, Mutation>> = {
  'a value left out': somewhere(removeAt),
  'a property added': inSome((object, random) =>
    insert(object, random, random.pick(UNNAMED), unlikely(random)),
  ),
  'a property renamed': inSome(({ list }, random) => {
    if (list.length === 0) return;
    const entry = random.pick(list);
    const key = String(entry[0]);
    entry[0] = random.pick([
      key.toUpperCase(),
      `${key} `,
      key.slice(1),
      `${key}\u0000`,
      random.pick(UNNAMED),
    ]);
  }),
  'a key repeated': inSome((object, random) => {
    if (object.list.length === 0) return;
    const [key, value] = random.pick(object.list);
    if (typeof key !== 'string') return;
    const again = random.chance(0.3) ? spelled(key) : key;
    insert(object, random, again, random.chance(0.5) ? value : unlikely(random));
  }),
  'a value of another type': somewhere((branch, random) => replaceAt(branch, unlikely(random))),
  'a value nested deeper': somewhere((branch, random) => {
    let tree = treeAt(branch);
    for (let levels = 1 + random.below(9); levels > 0; levels--) {
      tree = random.chance(0.5) ? [tree] : new Entries([[random.pick(['a', ':', '"']), tree]]);
    }
    replaceAt(branch, tree);
  }),
  'many items': somewhere((branch, random) => {
    const many = random.pick([3, 4, 5, 6, 7, 20, 30, 128, 129, random.chance(0.02) ? 4_000 : 130]);
    const item = random.chance(0.5) ? random.below(10) : treeAt(branch);
    const isSmall = branches(item).length < 30 && !(typeof item === 'string' && item.length > 100);
    replaceAt(branch, Array<Tree>(many).fill(isSmall ? item : 0));
  }),
  'many keys': inSome((object, random) => {
    const many = random.pick([5, 15, 18, 20, 21, 22, 23, 24, 25, random.chance(0.02) ? 2_000 : 30]);
    for (let i = 0; i < many; i++) object.list.push([`k${i}`, i % 10]);
  }),
  'an odd number': somewhere((branch, random) => {
    replaceAt(branch, random.pick(NUMBERS));
  }),
  'an odd text': somewhere((branch, random) => {
    replaceAt(branch, oddText(random));
  }),
  'an odd key': inSome((object, random) => {
    const key = random.chance(0.7)
      ? oddText(random)
      : new Odd(
          random.pick(['1', 'a', "'a'", 'null', '[]']),
          random.pick([
            Uint8Array.of(1),
            Uint8Array.of(0xc0),
            Uint8Array.of(0x90),
            Uint8Array.of(0xa1, 0xff),
          ]),
        );
    insert(object, random, key, unlikely(random));
  }),
  'an alien value': somewhere((branch, random) => replaceAt(branch, random.pick(ALIENS))),
  'another order': inSome((object, random) => {
    object.list.splice(0, object.list.length, ...random.shuffled(object.list));
  }),
  'a poisoned prototype': inSome((object, random) => {
    const inner = random.pick([
      null,
      1,
      new Entries(),
      new Entries([['isAdmin', true]]),
      new Entries([['prototype', null]]),
      new Entries([['prototype', new Entries([['isAdmin', true]])]]),
    ]);
    const key = random.pick(['__proto__', 'constructor', 'prototype']);
    insert(object, random, random.chance(0.2) ? spelled(key) : key, inner);
  }),
  'another type of message': ofEnvelope(['type', 'method'], (random) =>
    random.chance(0.5) ? pickType(random) : random.chance(0.7) ? random.pick(TYPES) : unlikely(random),
  ),
  'an odd id': ofEnvelope(['id'], (random) =>
    random.chance(0.3)
      ? unlikely(random)
      : random.pick([
          null,
          '',
          'x'.repeat(64),
          'x'.repeat(65),
          '😀'.repeat(32),
          '😀'.repeat(33),
          1.5,
          2 ** 53,
          2 ** 53 - 1,
          1_000_001,
          -0,
          true,
          [],
          new Entries(),
        ]),
  ),
  'an odd version': ofEnvelope(['jsonrpc'], (random) =>
    random.pick(['1.0', '2', 2, 2.5, null, '2.0 ', '2.0']),
  ),
  'an odd body': (message, random, envelope) => {
    if (envelope === 'flat') return random.chance(0.5) ? [message] : message;
    return ofEnvelope(['data', 'params'], unlikely)(message, random, envelope);
  },
  'another envelope': (message, random) => {
    const other = random.pick<EnvelopeName>(['flat', 'nested', 'json-rpc']);
    const find = (names: string[]): Tree | undefined =>
      message instanceof Entries
        ? message.list.find(([key]) => names.includes(key as string))?.[1]
        : undefined;
    const body = find(['data', 'params']) ?? message;
    return wrap(other, find(['type', 'method']) ?? 'say', body, random.chance(0.5) ? 1 : undefined);
  },
  'a batch': (message, random) => list(random, 3, () => message),
};
