// Looks at every packed tarball as a registry's visitor would: publint for what is in it, attw for its types. Then compares
// what the entries export with the reports in docs/api.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { outdatedMessage, outdatedReports } from './api-reports.js';
import { packAll, root, run } from './pack.js';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-packages-'));
const bin = join(root, 'node_modules/.bin');
try {
  for (const { name, tarball } of packAll(folder)) {
    check(name, 'publint', ['run', tarball, '--strict']);
    check(name, 'attw', [tarball, '--profile', 'esm-only', '--no-emoji', '--format', 'ascii']);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

for (const name of outdatedReports()) {
  console.error(outdatedMessage(name));
  process.exitCode = 1;
}

function check(name, tool, args) {
  try {
    run(join(bin, tool), args, root);
    console.log(`${name}: ${tool} found nothing`);
  } catch (error) {
    console.error(`${name}: ${error.message}`);
    process.exitCode = 1;
  }
}
