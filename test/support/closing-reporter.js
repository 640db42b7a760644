import { writeSync } from 'node:fs';
import { relative } from 'node:path';

const NEEDS = / \[needs ([^\]]+)\]$/;

/** A Jest reporter whose last lines name the suites that were skipped for want of a program. */
export default class ClosingReporter {
  #rootDir;

  constructor(globalConfig) {
    this.#rootDir = globalConfig.rootDir;
  }

  onRunComplete(_contexts, results) {
    const lines = closingLines(skippedSuites(results, this.#rootDir));
    // Jest prints its summary after all reporters, on stderr. Printing at exit puts these lines last.
    process.once('exit', () => writeSync(2, `${lines.join('\n')}\n`));
  }
}

function skippedSuites(results, rootDir) {
  const suites = new Map();
  for (const file of results.testResults) {
    for (const { ancestorTitles } of file.testResults) {
      const title = ancestorTitles.find((part) => NEEDS.test(part));
      if (title === undefined) continue;
      const suite = `${relative(rootDir, file.testFilePath)}: ${title.replace(NEEDS, '')}`;
      suites.set(suite, NEEDS.exec(title)[1]);
    }
  }
  return suites;
}

function closingLines(skipped) {
  if (skipped.size === 0) return ['No suite was skipped for want of a program.'];
  const lines = [...skipped].map(([suite, program]) => `  ${suite} (no ${program})`);
  return ['', 'Skipped for want of a program (SALLYPORT_TEST_ALL=1 makes that a failure):', ...lines];
}
