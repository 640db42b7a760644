import { expect, test } from '@jest/globals';
import {
  type DocumentedName,
  examplesOf,
  exportedNames,
  exportsOf,
  functionsForApplications,
} from './exports.ts';

const places = (names: readonly DocumentedName[]): string[] =>
  names.map(({ entry, name, file, line }) => `${entry}: ${name} (${file}:${line})`);

test('every export of every entry has a doc comment of its own', () => {
  const names = exportedNames();
  expect(names.length).toBeGreaterThan(140);
  expect(places(names.filter(({ comment }) => /^\s*(?:@|$)/.test(comment)))).toEqual([]);
});

test('every function for applications has one example in its doc comment', () => {
  const functions = functionsForApplications();
  expect(functions.length).toBeGreaterThan(40);
  expect(places(functions.filter((one) => examplesOf(one).length !== 1))).toEqual([]);
});

test('every form of export is seen', () => {
  const source = `export { type Static, Type } from 'typebox';
export type { A } from './a.ts';
export { b } from './b.ts';
import { c } from '@sallyport/ws';
export { c };
export { d as 'module.exports', e as default };
export const f = 1;
export async function g() {}
export interface H {}
`;
  expect(exportsOf(source)).toEqual([
    { name: 'Static', from: 'typebox' },
    { name: 'Type', from: 'typebox' },
    { name: 'A', from: './a.ts' },
    { name: 'b', from: './b.ts' },
    { name: 'c', from: '@sallyport/ws' },
    { name: 'f', from: undefined },
    { name: 'g', from: undefined },
    { name: 'H', from: undefined },
  ]);
});

test('an example stands where its source has it', () => {
  const comment = 'Does it.\n\n@throws never\n\n@example\n```ts\ndoIt();\n```\n\n@see more';
  const name = { entry: 'e', name: 'doIt', file: 'a.ts', line: 10, isFunction: true, comment };
  expect(examplesOf(name)).toMatchObject([{ page: 'a.ts', language: 'ts', line: 16, code: 'doIt();' }]);
  expect(examplesOf({ ...name, comment: 'Does it. ```ts\ndoIt();\n```' })).toEqual([]);
});
