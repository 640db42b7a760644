import type { Random } from '../random.ts';
import { type Attack, messageOf, spelled } from './attack.ts';
import { bodyOf } from './bodies.ts';
import type { Dialect } from './dialect.ts';
import { packedOf, sizedBy32 } from './packed.ts';
import { Entries, Odd, type Tree, treeOf } from './tree.ts';

const BARE: readonly Tree[] = [
  null, true, 0, 'say', '', [], [[]], ['say'], 1.5, Uint8Array.of(), Uint8Array.of(1, 2),
]; // biome-ignore format: a list of values reads best as a block

/** This many nested arrays or objects, closed or not. */
function nest(random: Random): Odd {
  const isClosed = random.chance(0.7);
  const [open, inner, close, packed] = random.pick([
    ['[', '', ']', [0x91]],
    ['{"a":', '1', '}', [0x81, 0xa1, 0x61]],
  ] as const);
  const depth = random.chance(0.03) ? 10_000 / packed.length : 9 + random.below(200);
  return new Odd(
    open.repeat(depth) + inner + (isClosed ? close.repeat(depth) : ''),
    Buffer.concat([
      Buffer.alloc(packed.length * Math.floor(depth), Buffer.from(packed)),
      Buffer.from(isClosed ? [0xc0] : []),
    ]),
  );
}

/** A body with a value at the place that is checked first. */
function around(deep: Tree, random: Random, dialect: Dialect): Entries {
  const type = random.pick(['any', 'tags', 'tree', 'say', 'shout', 'prefs', 'open']);
  const bodies: Readonly<Record<string, unknown>> = {
    tags: { tags: [deep, deep], matrix: [] },
    tree: { root: deep },
  };
  return messageOf(type, bodies[type] ?? { value: deep }, random, dialect);
}

/** Attacks on the parser and on the envelope. */
export const onEnvelopes: Readonly<Record<string, Attack>> = {
  'a bare value': (random) => ({ data: random.pick(BARE), sure: 'message_malformed' }),
  'an empty object': (_random, { envelope }) => ({
    data: new Entries(),
    sure: envelope === 'flat' ? 'message_type_unknown' : 'message_malformed',
  }),
  nothing: (random, { codec }) => ({
    data: random.chance(0.5) || codec !== undefined ? Buffer.of() : Buffer.from(' \n\t'),
    sure: 'message_malformed',
  }),
  'deep nesting': (random, dialect) => ({
    data: around(nest(random), random, dialect),
    sure: 'message_malformed',
  }),
  'a poisoned prototype in front': (random, dialect) => {
    const message = messageOf('say', bodyOf('say', random), random, dialect);
    const value = treeOf(random.pick([{ type: 'say', isAdmin: true }, null, 'x', []]));
    message.list.unshift([random.chance(0.5) ? '__proto__' : spelled('__proto__'), value]);
    return { data: message, sure: 'message_malformed' };
  },
  'escaped keys': (random, dialect) => {
    const message = messageOf('say', bodyOf('say', random), random, dialect);
    for (const entry of message.list) if (random.chance(0.7)) entry[0] = spelled(entry[0] as string);
    return { data: message, sure: 'delivered' };
  },
  'the type twice, once escaped': (random, dialect) => {
    const message = messageOf('nobody', {}, random, dialect);
    const key = spelled(dialect.envelope === 'json-rpc' ? 'method' : 'type');
    message.list.splice(random.below(message.list.length + 1), 0, [key, 'open']);
    // Of a format without that rule the last one counts, for everybody.
    return { data: message, sure: dialect.codec === undefined ? 'message_malformed' : undefined };
  },
  'an answer': (random, { envelope }) => ({
    data: treeOf({ jsonrpc: '2.0', id: 1, [random.pick(['result', 'error'])]: { code: 1, message: 'x' } }),
    sure: envelope === 'flat' ? 'message_type_unknown' : 'message_malformed',
  }),
  'a message of the guard': (random, dialect) => ({
    data: messageOf('error', { code: 'internal', message: 'x' }, random, dialect),
    sure: 'message_type_unknown',
  }),
  'a length that is a lie': (random, { codec }) => {
    const pieces = ['type', 'any', 'value'].map((piece) => packedOf(piece));
    const lie = sizedBy32(
      random.pick([0xdb, 0xc6, 0xdd, 0xdf]),
      random.pick([2 ** 25, 2 ** 31, 2 ** 32 - 1]),
    );
    const packed = Buffer.concat([Buffer.of(0x82), ...pieces, lie]);
    return {
      data: codec === undefined ? Buffer.from('{"type":"any","value":[') : packed,
      sure: 'message_malformed',
    };
  },
};
