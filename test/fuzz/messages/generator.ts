import type { Reason } from '@sallyport/core';
import type { Random } from '../random.ts';
import { bodyOf, pickType } from './bodies.ts';
import { type ByteMutation, packedMutations, textMutations } from './byte-mutations.ts';
import { type Dialect, pickId, wrap } from './dialect.ts';
import { attacks } from './hostile.ts';
import { mutations } from './mutations.ts';
import { type Entries, treeOf } from './tree.ts';

/** A message, and what its generator knows about it. */
export interface Generated {
  readonly data: Uint8Array;
  readonly kind: 'valid' | 'mutated' | 'hostile';
  /** The names of its mutations. */
  readonly made: readonly string[];
  /** The expected outcome, if the generator knows it. */
  readonly sure?: Reason | 'delivered' | undefined;
}

/** The share of each kind of message; the rest is hostile. */
export const SHARES = { valid: 0.35, mutated: 0.45 };
/** A larger message would end the connection. */
const MOST_BYTES = 60_000;

const MUTATIONS = Object.keys(mutations);
const ATTACKS = Object.keys(attacks);
const TEXT_MUTATIONS = Object.keys(textMutations);
const PACKED_MUTATIONS = Object.keys(packedMutations);

export function generate(random: Random, dialect: Dialect): Generated {
  const kind = random.next();
  if (kind < SHARES.valid) return valid(random, dialect);
  const made = kind < SHARES.valid + SHARES.mutated ? mutated(random, dialect) : hostile(random, dialect);
  return made.data.byteLength > MOST_BYTES ? valid(random, dialect) : made;
}

function message(type: string, random: Random, { envelope }: Dialect): Entries {
  const tree = wrap(envelope, type, treeOf(bodyOf(type, random)), pickId(random));
  // The order of the keys does not matter.
  if (random.chance(0.3)) tree.list.splice(0, tree.list.length, ...random.shuffled(tree.list));
  return tree;
}

function valid(random: Random, dialect: Dialect): Generated {
  const type = pickType(random);
  const data = dialect.write(message(type, random, dialect), random, random.chance(0.5));
  return { data, kind: 'valid', made: [type], sure: sureOf(type, dialect) };
}

function sureOf(type: string, { envelope }: Dialect): Generated['sure'] {
  if (type === 'nobody') return 'message_forbidden';
  // For these it depends on what they say, and with this envelope on how many keys it has itself.
  return type === 'secret' || type === 'vote' || (type === 'wide' && envelope !== 'flat')
    ? undefined
    : 'delivered';
}

/** A valid message with one to three mutations, of its value or of its bytes. */
function mutated(random: Random, dialect: Dialect): Generated {
  const made: string[] = [];
  let tree = message(pickType(random), random, dialect) as Parameters<Dialect['write']>[0];
  const ofBytes = random.chance(0.2);
  for (let left = ofBytes ? random.below(2) : 1 + random.below(3); left > 0; left--) {
    const name = random.pick(MUTATIONS);
    made.push(name);
    tree = (mutations[name] as (typeof mutations)[string])(tree, random, dialect.envelope);
  }
  let data = dialect.write(tree, random, random.chance(0.5));
  if (ofBytes && data.byteLength > 0) {
    const isText = dialect.codec === undefined;
    const name = random.pick(isText ? TEXT_MUTATIONS : PACKED_MUTATIONS);
    const change = (isText ? textMutations : packedMutations)[name] as ByteMutation;
    made.push(name);
    data = change(Buffer.from(data), random);
    // ws refuses invalid UTF-8 before the guard sees it.
    if (isText) data = Buffer.from(Buffer.from(data).toString());
  }
  return { data, kind: 'mutated', made };
}

function hostile(random: Random, dialect: Dialect): Generated {
  const name = random.pick(ATTACKS);
  const { data: made, sure } = (attacks[name] as (typeof attacks)[string])(random, dialect);
  // Bytes that are ready are no tree of bytes.
  const data = Buffer.isBuffer(made) ? made : dialect.write(made, random, random.chance(0.5));
  return { data, kind: 'hostile', made: [name], sure };
}
