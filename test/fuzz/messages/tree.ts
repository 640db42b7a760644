/**
 * A message while the generator builds it: like a value, but an object may repeat a key, and any part may have a spelling that no
 * encoder writes.
 */
export type Tree = null | boolean | number | string | Uint8Array | Tree[] | Entries | Odd;

/** An object as a list of entries, in the order of its text. */
export class Entries {
  constructor(readonly list: [key: string | Odd, value: Tree][] = []) {}
}

/** A part with a given spelling in each format. */
export class Odd {
  constructor(
    readonly json: string,
    readonly packed: Uint8Array,
  ) {}
}

/** A value as a tree. Parts that are trees already stay as they are. */
export function treeOf(value: unknown): Tree {
  if (typeof value !== 'object' || value === null) return value as Tree;
  if (value instanceof Uint8Array || value instanceof Odd || value instanceof Entries) return value;
  if (Array.isArray(value)) return value.map(treeOf);
  return new Entries(Object.entries(value).map(([key, inner]) => [key, treeOf(inner)]));
}

/** The place of a subtree: an index of an array or of an object's entries. */
export interface Branch {
  readonly holder: Tree[] | Entries;
  readonly index: number;
}

export function treeAt({ holder, index }: Branch): Tree {
  return (holder instanceof Entries ? holder.list[index]?.[1] : holder[index]) as Tree;
}

export function replaceAt({ holder, index }: Branch, tree: Tree): void {
  if (!(holder instanceof Entries)) holder[index] = tree;
  else (holder.list[index] as [unknown, Tree])[1] = tree;
}

export function removeAt({ holder, index }: Branch): void {
  (holder instanceof Entries ? holder.list : holder).splice(index, 1);
}

/** All places in a tree, the outer ones first. */
export function branches(tree: Tree, found: Branch[] = []): Branch[] {
  if (!(tree instanceof Entries || Array.isArray(tree))) return found;
  const { length } = tree instanceof Entries ? tree.list : tree;
  for (let index = 0; index < length; index++) {
    const branch = { holder: tree, index };
    found.push(branch);
    branches(treeAt(branch), found);
  }
  return found;
}

/** All objects in a tree, the outer ones first. */
export function objects(tree: Tree, found: Entries[] = []): Entries[] {
  if (tree instanceof Entries) {
    found.push(tree);
    for (const [, inner] of tree.list) objects(inner, found);
  } else if (Array.isArray(tree)) {
    for (const inner of tree) objects(inner, found);
  }
  return found;
}
