// With --disallow-code-generation-from-strings, all checks still run with the same results. They are slower, and the log says so.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

interface Report {
  readonly generates: boolean;
  readonly warnings: readonly string[];
  readonly outcomes: readonly object[];
}

async function run(...flags: string[]): Promise<Report> {
  const sources = ['--import', './test/programs/sources.js', '--conditions', '@sallyport/source'];
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...flags, ...sources, './test/programs/no-code-generation.ts'],
    { cwd: join(import.meta.dirname, '../..'), timeout: 60_000 },
  );
  return JSON.parse(stdout) as Report;
}

test('messages get the same answers with and without code generation, and a warning is logged without it', async () => {
  const [without, withIt] = await Promise.all([run('--disallow-code-generation-from-strings'), run()]);
  expect([without.generates, withIt.generates]).toEqual([false, true]);
  expect(without.outcomes).toEqual(withIt.outcomes);
  const invalid = (path: string) => ({
    type: 'error',
    code: 'message_invalid',
    path,
    message: 'The message does not have the expected form.',
  });
  expect(without.outcomes).toEqual([
    { type: 'typebox', name: 'a@example.com', age: 7 },
    invalid('/name'),
    invalid('/age'),
    invalid(''),
    { type: 'nested', list: [{ name: 'a@example.com' }], map: { a: 1 } },
    invalid('/list/0'),
    invalid('/map/a'),
    { type: 'union', kind: 'b', y: 1 },
    expect.objectContaining({ code: 'message_invalid' }),
    { type: 'both', a: 1, b: 2 },
    invalid(''),
    { type: 'plain', a: 'aaa' },
    invalid('/a'),
    { type: 'stripped', in: { a: 1 } },
    invalid('/in/a'),
    { type: 'clean', text: ' ab ' },
    invalid('/text'),
    { type: 'zod', a: 'x' },
    invalid('/a'),
    invalid(''),
    { type: 'valibot', a: 'x' },
    invalid(''),
    { type: 'arktype', a: 'x' },
    invalid(''),
  ]);
  expect(withIt.warnings).toEqual([]);
  expect(without.warnings).toEqual([expect.stringContaining('code generation is not allowed here')]);
}, 120_000);
