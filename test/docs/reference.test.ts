import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { reasons } from '@sallyport/core';
import { interfacesOf } from './doc-comments.ts';
import { root } from './markdown.ts';
import { type DescribedOption, describedOptions, fallbackOf, reference } from './reference.ts';

const path = join(root, 'docs/start.md');
const [START, END] = ['<!-- reference: begin -->', '<!-- reference: end -->'];
const options = describedOptions().flatMap(([title, described]) =>
  described.map((option) => ({ ...option, path: `${title}: ${option.name}` })),
);

/** `SALLYPORT_UPDATE_DOCS=1` writes the reference instead of comparing it. */
test('the reference in docs/start.md is what the tables of options say', () => {
  const text = readFileSync(path, 'utf8');
  const [before, rest] = text.split(START) as [string, string];
  const after = rest.split(END)[1] as string;
  const expected = `${before}${START}\n\n${reference()}\n\n${END}${after}`;
  if (process.env.SALLYPORT_UPDATE_DOCS === '1') writeFileSync(path, expected);
  else expect(text).toBe(expected);
});

test('a doc comment says of every option what it does', () => {
  expect(options.filter(({ doc }) => (doc?.text ?? '') === '').map((option) => option.path)).toEqual([]);
});

test('a doc comment names the default that the table has', () => {
  const wrong = options
    .filter(({ option }) => !option.required && fallbackOf(option) !== '')
    .filter(({ option, doc }) => doc?.fallback !== fallbackOf(option))
    .map(({ path, option, doc }) => `${path}: '${doc?.fallback}' instead of '${fallbackOf(option)}'`);
  expect(wrong).toEqual([]);
});

test('a doc comment names the reason that the table has, and no other for going beyond', () => {
  const wrong = options
    .filter(({ option, doc }) => {
      const told = reasonsIn(doc?.exceeded ?? '');
      const { exceeded } = option;
      return exceeded === undefined ? told.length > 0 : !reasonsIn(everything(doc)).includes(exceeded);
    })
    .map(({ path, option }) => `${path}: ${option.exceeded}`);
  expect(wrong).toEqual([]);
});

test('a status or a close code beside a reason is one that the reason has', () => {
  const wrong = options.flatMap(({ path, doc }) =>
    [...everything(doc).matchAll(/`(\w+)` \((\d+)\)/g)]
      .filter(([, reason]) => Object.hasOwn(reasons, reason as string))
      .filter(([, reason, code]) => {
        const { http, close } = reasons[reason as keyof typeof reasons];
        return ![http, close].includes(Number(code));
      })
      .map(([said]) => `${path}: ${said}`),
  );
  expect(wrong).toEqual([]);
});

test('optionsOf() splits a doc comment into text, default and consequence', () => {
  const source = `export interface A {
  /** The largest one, say. Default: 64 KiB. Beyond: closed with \`x\` (1009). */
  readonly size?: Size;
  readonly inner?: {
    /** How deep. Default: 1,000. */
    readonly depth?: number;
  };
  readonly other?: B | false;
}
interface B {
  /** Whether. */
  readonly whether: boolean;
}`;
  const interfaces = interfacesOf(source);
  const [size, inner, other] = interfaces.get('A') ?? [];
  expect(size).toMatchObject({
    name: 'size',
    text: 'The largest one, say.',
    fallback: '64 KiB',
    exceeded: 'closed with `x` (1009)',
  });
  expect(inner?.inner(interfaces)).toMatchObject([{ name: 'depth', text: 'How deep.', fallback: '1,000' }]);
  expect(other?.inner(interfaces)).toMatchObject([{ name: 'whether', text: 'Whether.' }]);
});

test.each([
  ['64KiB', '64 KiB'],
  ['1d', '1 day'],
  ['30d', '30 days'],
  ['10m', '10 min'],
  [10_000, '10,000'],
  [{ rate: '256KiB/s', burst: '1MiB' }, '256 KiB/s, burst 1 MiB'],
  [false, '`false`'],
  ['reply', "`'reply'`"],
])('the default %j is written %s', (fallback, expected) => {
  expect(fallbackOf({ fallback } as never)).toBe(expected);
});

function everything(doc: DescribedOption['doc']): string {
  return `${doc?.text} ${doc?.exceeded}`;
}

function reasonsIn(text: string): string[] {
  const words = [...text.matchAll(/`(\w+)`/g)].map(([, word]) => word as string);
  return words.filter((word) => Object.hasOwn(reasons, word));
}
