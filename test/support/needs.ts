import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, test } from '@jest/globals';

/** Programs that some suites need and a machine may not have. A variable may give the path of each. */
const PROGRAMS = {
  chromium: {
    title: 'Chromium',
    variable: 'SALLYPORT_CHROMIUM',
    names: ['chromium', 'chromium-browser', 'google-chrome'],
  },
  redis: {
    title: 'Redis',
    variable: 'SALLYPORT_REDIS_SERVER',
    names: ['redis-server', 'valkey-server'],
  },
} as const;

export type Program = keyof typeof PROGRAMS;
type Environment = Readonly<Record<string, string | undefined>>;

/** The path of a program, or `undefined` if this machine does not have it. */
export function locate(program: Program, env: Environment = process.env): string | undefined {
  const { variable, names } = PROGRAMS[program];
  const named = env[variable];
  if (named !== undefined) return isExecutable(named) ? named : undefined;
  const folders = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find(isExecutable);
}

/**
 * `describe` for a suite that needs a program. Without the program the suite is skipped and named in the last lines of the run;
 * with `SALLYPORT_TEST_ALL=1` it fails.
 */
export function describeWith(program: Program, title: string, suite: (path: string) => void): void {
  const path = locate(program);
  if (path !== undefined) {
    describe(title, () => suite(path));
  } else if (process.env.SALLYPORT_TEST_ALL === '1') {
    describe(title, () => {
      test(`needs ${PROGRAMS[program].title}`, () => {
        throw new Error(missing(program));
      });
    });
  } else {
    // closing-reporter.js reads the missing program from this title.
    describe.skip(`${title} [needs ${PROGRAMS[program].title}]`, () => suite(''));
  }
}

function missing(program: Program): string {
  const { title, variable, names } = PROGRAMS[program];
  return `${title} is missing, and SALLYPORT_TEST_ALL=1 asks for every suite. Install ${names[0]}, or name it in ${variable}.`;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
