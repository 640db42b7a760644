import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { root, run } from '../../scripts/pack.js';
import { COMPILERS } from './compilers.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-types-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A policy with this many message types, half of them with a rule, and a handler for each. */
function program(types: number): string {
  const names = Array.from({ length: types }, (_, i) => `m${i}`);
  const schema = (i: number) =>
    `Type.Object({ f${i}: Type.String(), n: Type.Number(), list: Type.Array(Type.Object({ id: Type.Integer() })) })`;
  const entry = (name: string, i: number) =>
    i % 2 === 0
      ? `${name}: ${schema(i)},`
      : `${name}: { schema: ${schema(i)}, authorize: ({ identity, message }) => identity.subject === message.f${i} },`;
  return `
    import { anonymous, bearer, type Connection, createGuard, definePolicy, type Guard, jwt, Type } from '@sallyport/core';
    const auth = jwt({ from: [bearer()], secret: 's', algorithms: ['HS256'], issuer: 'i', audience: 'a' });
    const guard = createGuard(definePolicy({
      auth: [auth, anonymous()],
      authorize: ({ identity }) => identity.scheme === 'jwt',
      messages: { ${names.map(entry).join('\n')} },
    }));
    type Of<G> = G extends Guard<infer I, infer M, infer R> ? Connection<I[number], M, R> : never;
    export function handle(connection: Of<typeof guard>): void {
      ${names.map((name, i) => `connection.on('${name}', ({ f${i}, list }) => f${i}.length + (list[0]?.id ?? 0));`).join('\n')}
    }`;
}

function instantiations(compiler: string, types: number): number {
  writeFileSync(join(folder, 'policy.mts'), program(types));
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      extends: join(root, 'tsconfig.base.json'),
      compilerOptions: {
        noEmit: true,
        allowImportingTsExtensions: true,
        typeRoots: [join(root, 'node_modules/@types')],
        paths: { '@sallyport/core': [join(root, 'packages/core/src/index.ts')] },
      },
      files: ['policy.mts'],
    }),
  );
  const output: string = run(
    process.execPath,
    [join(root, compiler), '-p', folder, '--extendedDiagnostics'],
    root,
  );
  const match = /^Instantiations:\s+(\d+)$/m.exec(output);
  if (match === null) throw new Error(`tsc told no number of instantiations:\n${output}`);
  return Number(match[1]);
}

/** Measured with TypeScript 7.0: 261,000 for a hundred types, which is 2,600 for each, and half of it for fifty. */
const BAR = 340_000;

test.each(COMPILERS)(
  'a policy of 100 message types takes a bounded number of type instantiations, linear in the types, with $name',
  ({ path }) => {
    // A policy with one type shows the cost of the core and its libraries.
    expect(instantiations(path, 101) - instantiations(path, 1)).toBeLessThan(BAR);
  },
  240_000,
);
