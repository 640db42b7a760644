import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { root } from './markdown.ts';

const text = readFileSync(join(root, 'docs/threats.md'), 'utf8');
/** The cells of every table row, by section. */
const rows = text.split(/^## /m).flatMap((section) => {
  const title = section.slice(0, section.indexOf('\n'));
  const lines = section.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| id |'));
  return lines.map((line) => ({
    title,
    cells: line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  }));
});
const ids = (cell = ''): string[] => cell.split(',').map((id) => id.trim());
const named = [...text.matchAll(/\]\(\.\.\/([^)]+\.test\.ts)\)/g)].map(([, path]) => path as string);

const range = (letter: string, last: number): string[] =>
  Array.from({ length: last }, (_, i) => `${letter}${i + 1}`);
const checklist = [
  ...range('H', 14),
  ...['H15', 'H16', 'H17'],
  ...range('A', 11),
  'A13',
  ...range('M', 10),
  ...range('D', 10),
  ...['D11', 'D12'],
  ...range('O', 7),
];

test('docs/threats.md has each row of the checklist once', () => {
  const found = rows.flatMap(({ cells }) => ids(cells[0])).filter((id) => id !== '—');
  expect([...found].sort()).toEqual([...checklist].sort());
});

test.each([...range('H', 13), ...range('A', 11), 'M3', 'M7', 'M8', 'M9', 'M10'])(
  'row %s of docs/threats.md links an attack',
  (id) => {
    const row = rows.find(({ cells }) => ids(cells[0]).includes(id));
    expect(row?.cells).toHaveLength(4);
    expect(row?.cells.at(-1)).toContain('../test/attacks/');
  },
);

test('every row outside Still to come links a test, and every linked test exists', () => {
  const open = rows.filter(
    ({ title, cells }) => title !== 'Still to come' && !cells.at(-1)?.includes('.test.ts'),
  );
  expect(open).toEqual([]);
  expect(named.length).toBeGreaterThan(25);
  expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});

test('docs/threats.md links every file of test/attacks', () => {
  const attacks = readdirSync(join(root, 'test/attacks')).map((name) => `test/attacks/${name}`);
  expect(attacks.filter((path) => !named.includes(path))).toEqual([]);
});
