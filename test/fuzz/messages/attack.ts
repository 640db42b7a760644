import type { Reason } from '@sallyport/core';
import type { Random } from '../random.ts';
import { type Dialect, pickId, wrap } from './dialect.ts';
import { escapedKey } from './json-text.ts';
import { packedOf } from './packed.ts';
import { type Entries, Odd, type Tree, treeOf } from './tree.ts';

/** A whole message that somebody made up to do harm. */
interface Hostile {
  /** Bytes are a message that is written already. */
  readonly data: Tree | Buffer;
  /** What has to come of it, where that needs no reference. */
  readonly sure?: Reason | 'delivered' | undefined;
}

export type Attack = (random: Random, dialect: Dialect) => Hostile;

/** A message of some type with a body of one's own. */
export function messageOf(type: string, body: unknown, random: Random, { envelope }: Dialect): Entries {
  return wrap(envelope, type, treeOf(body), pickId(random));
}

/** A key that does not look like what it is, where the format has escapes. */
export function spelled(key: string): Odd {
  return new Odd(escapedKey(key), packedOf(key));
}
