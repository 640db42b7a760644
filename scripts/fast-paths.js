// Runs the contract, the attacks and the fuzz with every short way closed, in a copy of the sources: what takes the long way round
// must decide the same. (With the short ways open, `pnpm test` runs them.) `node scripts/fast-paths.js [patterns]`
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { copyTo } from './copy-workspace.js';

/** Where each of them begins, and how it is closed. */
const SHORT_WAYS = [
  {
    what: 'a message that fits a schema of fixed shape is not walked through again',
    file: 'packages/core/src/message/pipeline.ts',
    find: 'const bounded = type !== undefined && isBoundedBySchema(incoming, type, rules);',
    replace: 'const bounded = false;',
  },
  {
    what: 'colons are counted before keys are',
    file: 'packages/core/src/message/parse.ts',
    find: 'countColons(text) !== keys && countKeys(text) !== keys',
    replace: 'countKeys(text) !== keys',
  },
  {
    what: 'a reply is written without a copy that has its type',
    file: 'packages/core/src/outbound/writer.ts',
    find: 'if (codec !== undefined || !envelope.mergesType || !isPlain(body)) return undefined;',
    replace: 'return undefined;',
  },
  {
    what: 'a small message is written as one frame',
    file: 'packages/ws/src/outbound.ts',
    find: 'function writesPlainly(ws: Outgoing): boolean {',
    replace: 'function writesPlainly(ws: Outgoing): boolean {\n  if (ws !== undefined) return false;',
  },
  {
    what: 'what a tick writes leaves in one system call',
    file: 'packages/ws/src/cork.ts',
    find: 'if (socket[CORKED] !== true) {',
    replace: 'if (socket !== undefined) return;\n  if (socket[CORKED] !== true) {',
  },
  {
    what: 'a token that was verified is not verified again',
    file: 'packages/core/src/auth/jwt.ts',
    find: 'const seen = this.#verified?.get(token, this.#generation(clock));',
    replace: 'const seen = undefined as any;',
  },
  {
    what: 'a signature of a shared secret is looked at at once',
    file: 'packages/core/src/auth/jwt.ts',
    find: 'const payload = this.#secret?.verify(token, new Date(clock.now()));',
    replace: 'const payload = undefined as any;',
  },
  {
    what: 'a handshake that is decided at once is not listened for meanwhile',
    file: 'packages/ws/src/upgrade-interceptor.ts',
    find: 'const verdict = hostGuard(this.guard).enter(upgrade.handshake);',
    replace: 'upgrade.wait();\n    const verdict = hostGuard(this.guard).enter(upgrade.handshake);',
  },
  {
    what: 'a plain IPv4 address is read by itself',
    file: 'packages/core/src/handshake/address.ts',
    find: 'if (parts !== null) return plainAddress(parts);',
    replace: '',
  },
  {
    what: 'an ordinary host name is canonical',
    file: 'packages/core/src/handshake/host.ts',
    find: 'ORDINARY_NAME.test(name) || ',
    replace: '',
  },
];

const SUITES = ['test/contract/', 'test/attacks/', 'test/fuzz/'];

const folder = mkdtempSync(join(tmpdir(), 'sallyport-fast-paths-'));
try {
  const copy = copyTo(join(folder, 'copy'));
  for (const shortWay of SHORT_WAYS) close(copy, shortWay);
  const patterns = process.argv.length > 2 ? process.argv.slice(2) : SUITES;
  const { status } = spawnSync(process.execPath, ['scripts/test.js', ...patterns], {
    cwd: copy,
    stdio: 'inherit',
  });
  console.log(`${SHORT_WAYS.length} short ways closed`);
  process.exitCode = status ?? 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function close(copy, { what, file, find, replace }) {
  const path = join(copy, file);
  const source = readFileSync(path, 'utf8');
  if (source.split(find).length !== 2) throw new Error(`${what}: its place in ${file} has changed`);
  writeFileSync(
    path,
    source.replace(find, () => replace),
  );
}
