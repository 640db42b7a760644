import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { locate } from './needs.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-needs-'));
const chromium = join(folder, 'chromium');
writeFileSync(chromium, '#!/bin/sh\n', { mode: 0o755 });
writeFileSync(join(folder, 'redis-server'), 'not executable', { mode: 0o644 });
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('locate', () => {
  test('locate() finds a program on the PATH', () => {
    expect(locate('chromium', { PATH: ['/nowhere', folder].join(delimiter) })).toBe(chromium);
  });

  test('locate() finds no file that cannot be executed, and nothing with an empty PATH', () => {
    expect(locate('redis', { PATH: folder })).toBeUndefined();
    expect(locate('chromium', {})).toBeUndefined();
  });

  test('locate() prefers the program in the variable, and finds nothing if that is wrong', () => {
    expect(locate('redis', { PATH: folder, SALLYPORT_REDIS_SERVER: chromium })).toBe(chromium);
    expect(locate('chromium', { PATH: folder, SALLYPORT_CHROMIUM: '/nowhere/chromium' })).toBeUndefined();
  });
});

describe('a run on a machine without Chromium', () => {
  test('a run without Chromium passes, and its last lines name the skipped suite', () => {
    const run = runWithoutChromium({});
    expect(run.stderr.trimEnd().split('\n').slice(-2)).toEqual([
      'Skipped for want of a program (SALLYPORT_TEST_ALL=1 makes that a failure):',
      '  needy.test.ts: a page (no Chromium)',
    ]);
    expect(run.status).toBe(0);
  }, 30_000);

  test('a run without Chromium fails with SALLYPORT_TEST_ALL=1', () => {
    const run = runWithoutChromium({ SALLYPORT_TEST_ALL: '1' });
    expect(run.stderr).toContain('Chromium is missing, and SALLYPORT_TEST_ALL=1 asks for every suite.');
    expect(run.status).toBe(1);
  }, 30_000);
});

/** Runs a suite that needs Chromium with the project's Jest, transform and closing reporter. */
function runWithoutChromium(env: Record<string, string>) {
  const root = join(import.meta.dirname, '../..');
  const needs = join(import.meta.dirname, 'needs.ts');
  writeFileSync(
    join(folder, 'needy.test.ts'),
    `import { expect, test } from '@jest/globals';
     import { describeWith } from '${needs}';
     test('other', () => expect(1).toBe(1));
     describeWith('chromium', 'a page', () => { test('loads', () => { throw new Error('ran'); }); });`,
  );
  writeFileSync(
    join(folder, 'jest.config.js'),
    `const { default: config } = await import('${join(root, 'jest.config.js')}');
     export default { ...config, rootDir: '${folder}', roots: ['${folder}'], testMatch: ['**/needy.test.ts'],
       transform: { '^.+\\\\.ts$': ['${join(root, 'node_modules/@swc/jest/index.js')}', Object.values(config.transform)[0][1]] },
       moduleDirectories: ['node_modules', '${join(root, 'node_modules')}'],
       reporters: ['default', '${join(root, 'test/support/closing-reporter.js')}'] };`,
  );
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  return spawnSync(
    process.execPath,
    [join(root, 'scripts/test.js'), '--config', join(folder, 'jest.config.js')],
    {
      encoding: 'utf8',
      env: { ...process.env, SALLYPORT_TEST_ALL: '', SALLYPORT_CHROMIUM: '/nowhere/chromium', ...env },
    },
  );
}
