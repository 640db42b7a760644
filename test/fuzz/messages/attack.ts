import type { Reason } from '@sallyport/core';
import type { Random } from '../random.ts';
import { type Dialect, pickId, wrap } from './dialect.ts';
import { escapedKey } from './json-text.ts';
import { packedOf } from './packed.ts';
import { type Entries, Odd, type Tree, treeOf } from './tree.ts';

/** A hostile message. */
interface Hostile {
  /** A message, or its bytes. */
  readonly data: Tree | Buffer;
  /** The expected outcome, if it is known without the reference. */
  readonly sure?: Reason | 'delivered' | undefined;
}

export type Attack = (random: Random, dialect: Dialect) => Hostile;

/** A message of this type with this body. */
export function messageOf(type: string, body: unknown, random: Random, { envelope }: Dialect): Entries {
  return wrap(envelope, type, treeOf(body), pickId(random));
}

/** A key that is escaped, if the format has escapes. */
export function spelled(key: string): Odd {
  return new Odd(escapedKey(key), packedOf(key));
}
