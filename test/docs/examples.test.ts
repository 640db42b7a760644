import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { examplesOf, functionsForApplications } from './exports.ts';
import { readPages, snippetsOf } from './markdown.ts';
import { layOut, type Workbench } from './workbench.ts';

// All examples are compiled with the snippets of the pages. Those of the core need no server and no network, so they also run.
const examples = functionsForApplications()
  .filter(({ entry }) => entry.startsWith('@sallyport/core'))
  .map((one) => ({ name: one.name, snippets: examplesOf(one) }));
const { TOKEN_SECRET } = process.env;
let workbench: Workbench;

beforeAll(() => {
  process.env.TOKEN_SECRET = 'a shared secret of the tests, at least 32 bytes';
  workbench = layOut([...readPages().flatMap(snippetsOf), ...examples.flatMap(({ snippets }) => snippets)]);
});

afterAll(() => {
  if (TOKEN_SECRET === undefined) delete process.env.TOKEN_SECRET;
  else process.env.TOKEN_SECRET = TOKEN_SECRET;
  workbench.remove();
});

test.each(examples)('the example of $name runs', async ({ snippets }) => {
  for (const method of ['log', 'warn'] as const) jest.spyOn(console, method).mockImplementation(() => {});
  for (const { page, line } of snippets) {
    await expect(import(workbench.file(page, `line-${line}.ts`))).resolves.toBeDefined();
  }
  jest.restoreAllMocks();
});
