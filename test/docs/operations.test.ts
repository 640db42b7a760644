import { expect, test } from '@jest/globals';
import { eventNames, type Reason, reasons } from '@sallyport/core';
import { owaspName } from '../../packages/core/src/vocabulary/owasp.ts';
import { readPages } from './markdown.ts';

const page = readPages().find(({ path }) => path === 'docs/operations.md')?.text ?? '';
const names = (cell: string): string[] =>
  [...cell.matchAll(/`([a-z_.]+)`/g)].map(([, name]) => name as string);
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .map((line) => line.slice(1, -1).split('|') as [string, string, string?]);

test('the table of events lists exactly the events of the guard', () => {
  const listed = rows.flatMap(([first]) => names(first)).filter((name) => /\.|^fault$/.test(name));
  expect(listed.sort()).toEqual([...eventNames].sort());
});

test('the table of OWASP names lists every reason with the name that its event has', () => {
  const given = Object.fromEntries(
    rows
      .filter(([, second]) => names(second)[0] !== undefined && (names(second)[0] as string) in reasons)
      .flatMap(([owasp, second]) => names(second).map((reason) => [reason, names(owasp)[0]])),
  );
  // Reasons that only end open connections are in `connection.closed`.
  const closes = ['idle', 'lifetime', 'unresponsive', 'replaced'];
  const denials = (Object.keys(reasons) as Reason[]).filter((reason) => !closes.includes(reason));
  expect(given).toEqual(
    Object.fromEntries(denials.map((reason) => [reason, owaspName('message.denied', reason).owasp])),
  );
});
