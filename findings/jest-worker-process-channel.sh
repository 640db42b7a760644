#!/usr/bin/env bash
# Jest 30.5.2 on Node 20 and newer: in a test file that runs in a worker, `process` is a copy. `process.channel` is a copy of the
# channel to the parent, too, without its private fields. So `ref()` and `unref()` are there and throw, although the channel works.
# With one worker (`--runInBand`), there is no channel and nothing throws.
# A good guess: a method of Node's own object that is there may be called, and `process.channel?.unref()` is safe everywhere.
# What to do: catch the error where code may run in somebody's tests.
# Seen: the output below. The script fails if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund jest@30.5.2
for name in one two; do
  cat >"$name.test.js" <<'JS'
const fs = require('node:fs');

test('the channel', () => {
  let seen = 'no channel';
  if (process.channel !== undefined) {
    seen = `connected: ${process.connected}, unref: ${typeof process.channel.unref}`;
    try {
      process.channel.unref();
    } catch (error) {
      seen += `, throws ${error.constructor.name}: ${/private member/.test(error.message)}`;
    }
  }
  fs.appendFileSync('seen.txt', `${seen}\n`);
});
JS
done
npx jest --maxWorkers=2 >/dev/null 2>&1
npx jest --runInBand >/dev/null 2>&1
cat seen.txt
diff seen.txt - <<'TEXT'
connected: true, unref: function, throws TypeError: true
connected: true, unref: function, throws TypeError: true
no channel
no channel
TEXT
