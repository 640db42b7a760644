/** Values that may be a message's id, and the nearest ones that may not. */
export const GOOD_IDS: readonly (string | number)[] = [
  0,
  -1,
  1,
  2 ** 53 - 1,
  -(2 ** 53 - 1),
  '',
  '1',
  '\u0000',
  '__proto__',
  'x'.repeat(64),
];

export const BAD_IDS: readonly unknown[] = [
  null,
  true,
  0.5,
  -0.1,
  2 ** 53,
  -(2 ** 53),
  1e300,
  'x'.repeat(65),
  {},
  { length: 1 },
  [],
  ['a'],
  [7],
];
