import { expect, test } from '@jest/globals';
import { report } from '../../bench/report.js';

const one = { low: 1, median: 2, high: 3 };
const measured = {
  effort: { rounds: 5, slice: 60, handshakes: 50, handshakeRounds: 5, warmUp: 2 },
  targets: [
    { what: 'a fast one', unit: 'of bare', got: { low: 0.5, median: 0.75, high: 1 }, most: 0.8 },
    {
      what: 'a slow one',
      unit: 'of bare',
      got: { low: 0.9, median: 1.2, high: 1.4 },
      most: 0.8,
      floor: 'A floor.',
    },
  ],
  tables: [],
  handshakes: [],
  traffic: [{ what: 'on ws', allocated: { low: 9, median: 10, high: 11 }, promoted: one }],
  pinned: 'Nothing is pinned to a core: a reason.',
  own: { whole: one, parse: one },
  dearestHandshake: { rows: [] },
  dearestMessage: { rows: [] },
};

test('a quick look says what it leaves out, and has no empty tables of it', () => {
  const text = report({ ...measured, quick: true });
  expect(text).toContain('This is a look.');
  expect(text).toContain('It leaves out how cost grows with open connections');
  expect(text).not.toContain('## Growth');
});

test('a target that is missed is reported with how much it is missed by', () => {
  const text = report({ ...measured, quick: true });
  expect(text).toContain('| a fast one | ≤ 0.80 of bare | **0.75** (0.50 to 1.00) |  | met |');
  expect(text).toContain('| a slow one | ≤ 0.80 of bare | **1.20** (0.90 to 1.40) |  | **missed** |');
  expect(text).toContain('- a slow one: by 50 % at worst\n\nA floor.');
});

test('a full run leaves nothing out', () => {
  const text = report({
    ...measured,
    quick: false,
    connections: [{ count: 50, cpu: 7, ratio: one }],
    types: [],
    memory: [{ name: 'bare', points: [[50, 1_000]] }],
    broadcast: [],
    million: { points: [[1_000_000, 5]], bytes: 2 ** 20 },
  });
  expect(text).not.toContain('This is a look.');
  expect(text).toContain('| 50 | 7.0 µs | **2.00** (1.00 to 3.00) |');
  expect(text).toContain('held 1.0 MiB more');
});

test('a report says what was pinned, and what a handshake allocates and promotes', () => {
  const text = report({ ...measured, quick: true });
  expect(text).toContain('Nothing is pinned to a core: a reason.');
  expect(text).toContain('| on ws | **10** (9 to 11) | **2** (1 to 3) |');
});
