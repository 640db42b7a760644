import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { root } from './markdown.ts';
import { type OptionDoc, optionsOf, reference, sourceOf } from './reference.ts';

const path = join(root, 'docs/start.md');
const [START, END] = ['<!-- reference: begin -->', '<!-- reference: end -->'];

/** `SALLYPORT_UPDATE_DOCS=1` writes the reference instead of comparing it. */
test('the reference in docs/start.md repeats the doc comments of the sources', () => {
  const text = readFileSync(path, 'utf8');
  const [before, rest] = text.split(START) as [string, string];
  const after = rest.split(END)[1] as string;
  const expected = `${before}${START}\n\n${reference()}\n\n${END}${after}`;
  if (process.env.SALLYPORT_UPDATE_DOCS === '1') writeFileSync(path, expected);
  else expect(text).toBe(expected);
});

test('every known option has a doc comment, and every limit states its default', () => {
  const all = ['RoutePolicy', 'PolicyOptions', 'RouteLimits', 'Limits'].flatMap((name) =>
    optionsOf(sourceOf('policy/policy.ts'), `interface ${name}`),
  );
  const known = [
    ...sourceOf('policy/policy-check.ts').matchAll(/const \w+_(?:OPTIONS|LIMITS) = \[([^\]]*)\]/g),
  ]
    .flatMap(([, list]) => [...(list as string).matchAll(/'(\w+)'/g)])
    .map(([, name]) => name);
  expect(
    all
      .map(({ name }) => name)
      .filter((name) => !name.includes('.'))
      .sort(),
  ).toEqual(known.sort());
  expect(
    all.filter(({ name, text, fallback }) => name !== 'limits' && text === '' && fallback === ''),
  ).toEqual([]);
});

test.each(['RouteLimits', 'Limits'])('the defaults of %s are those that the code has', (name) => {
  const code = sourceOf('guard/route.ts') + sourceOf('guard/family.ts');
  const wrong = optionsOf(sourceOf('policy/policy.ts'), `interface ${name}`)
    .filter((option) => option.name !== 'json')
    .filter((option) => amounts(option.fallback).join() !== amounts(defaultIn(code, option)).join());
  expect(wrong).toEqual([]);
});

test('optionsOf() splits a doc comment into text, default and consequence', () => {
  const source = `export interface A {
  /** The largest one. Default: 64 KiB, say. Beyond: closed (1009). */
  readonly size?: Size;
  readonly inner?: {
    /** How deep. Default: 1,000. */
    readonly depth?: number;
  };
}`;
  expect(optionsOf(source, 'interface A')).toEqual([
    {
      name: 'size',
      type: 'Size',
      text: 'The largest one.',
      fallback: '64 KiB, say',
      exceeded: 'Beyond: closed (1009).',
    },
    { name: 'inner', type: '', text: '', fallback: '', exceeded: '' },
    { name: 'inner.depth', type: 'number', text: 'How deep.', fallback: '1,000', exceeded: '' },
  ]);
});

/** What the code falls back to: what stands behind `limits.name ??`. */
function defaultIn(code: string, { name }: OptionDoc): string {
  const owner = name.includes('.') ? name : `limits.${name}`;
  return new RegExp(`${owner.replace('.', '\\.')} \\?\\? (\\{[^}]*\\}|[^,)]+)`).exec(code)?.[1] ?? 'none';
}

/** The numbers in a text with their units, in one spelling: `64 KiB`, `'64KiB'` and `10_000`, `10,000` are the same. */
function amounts(text: string): string[] {
  const plain = text.replace(/(?<=\d)[,_](?=\d{3})/g, '');
  return [...plain.matchAll(/(\d+) ?(ms|KiB|MiB|s\b|m\b)?(\/[smh])?/g)].map(
    ([, n, unit = '', per = '']) => n + unit + per,
  );
}
