// Adds up the results that Jest wrote (`--json --outputFile`): one closing line for all runs.
import { readFileSync } from 'node:fs';

let passed = 0;
let failed = 0;
for (const path of process.argv.slice(2)) {
  const counts = read(path);
  passed += counts.numPassedTests;
  // A file that could not run at all has no tests to count, and is a failure all the same.
  failed += counts.numFailedTests + counts.numRuntimeErrorTestSuites;
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;

function read(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    console.error(`no results of a test run: ${error.message}`);
    return { numPassedTests: 0, numFailedTests: 1, numRuntimeErrorTestSuites: 0 };
  }
}
