import type { Random } from '../random.ts';

const PIECES = [
  'a', 'b', 'Z', '0', ' ', 'hello', 'say', 'type', '"', '\\', ':', '":"', '\\"', '{', '}', '[', ']', ',', '/', '~',
  'é', 'ß', '漢', 'ي', 'e\u0301', '😀', '👩‍👩‍👧', '\u200d', '\u202e', '\ufeff', '\u00a0', '\u2028', '\t', '\n', '\u0000', '\u007f', '<b>', "'", '&amp;', '%00',
]; // biome-ignore format: a list of texts reads best as a block
const ODD_PIECES = [
  '\ud800',
  '\udc00',
  '\udfff\ud800',
  '\uffff',
  '\u{10ffff}',
  '\u0001',
  '\u001f',
  '"type":"say"',
];

/** A text with a number of code points in this range. */
export function text(random: Random, most: number, least = 0): string {
  const wanted = least + random.below(most - least + 1);
  if (random.chance(0.6)) {
    const start = random.below(PLAIN.length - wanted);
    return PLAIN.slice(start, start + wanted);
  }
  let all = '';
  let points = 0;
  while (points < wanted) {
    for (const point of random.pick(PIECES)) {
      if (points === wanted) break;
      all += point;
      points++;
    }
  }
  return all;
}

const PLAIN = 'lorem ipsum dolor sit amet, consectetur adipiscing elit';

/** A hostile text of about this many UTF-16 code units. */
export function oddText(random: Random): string {
  const length = random.pick([0, 1, 1, 2, 3, 8, 21, 60, 255, 256, 257, random.chance(0.1) ? 5_000 : 300]);
  let odd = '';
  while (odd.length < length) odd += random.chance(0.3) ? random.pick(ODD_PIECES) : random.pick(PIECES);
  return odd;
}

/** Lower-case letters. */
export function word(random: Random, most: number, least = 1): string {
  let letters = '';
  const length = least + random.below(most - least + 1);
  while (letters.length < length) letters += 'abcdefghijklmnopqrstuvwxyz'[random.below(26)];
  return letters;
}

export function integer(random: Random, least: number, most: number): number {
  return least + random.below(most - least + 1);
}

/** A list of up to this many. */
export function list<T>(random: Random, most: number, make: () => T): T[] {
  const made: T[] = [];
  for (let left = random.below(most + 1); left > 0; left--) made.push(make());
  return made;
}

/** A number of any kind within the limits. */
export function number(random: Random): number {
  return random.pick([
    0,
    -0,
    1,
    -1,
    0.5,
    1e-7,
    12_345.678,
    1_000_000,
    -1_000_000,
    5e-324,
    random.next() * 1_000,
  ]);
}

/** Any value of at most this depth, with few keys and items. */
export function anything(random: Random, depth: number, budget = { keys: 12 }): unknown {
  const kind = random.below(depth > 0 ? 8 : 5);
  if (kind === 0) return null;
  if (kind === 1) return random.chance(0.5);
  if (kind === 2) return number(random);
  if (kind < 5) return text(random, 12);
  if (kind < 7) return list(random, 3, () => anything(random, depth - 1, budget));
  const keys = list(random, Math.min(3, budget.keys), () =>
    random.chance(0.9) ? text(random, 5) : random.pick(HARMLESS),
  );
  budget.keys -= keys.length;
  return Object.fromEntries(keys.map((key) => [key, anything(random, depth - 1, budget)]));
}

/** Keys that look dangerous and are not. */
const HARMLESS = ['prototype', 'toString', 'valueOf', 'hasOwnProperty', 'length', 'proto', '$ref', '$id'];
