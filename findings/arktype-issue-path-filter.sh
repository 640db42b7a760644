#!/usr/bin/env bash
# arktype 2.2.10 on Node 20: the `path` of a Standard Schema issue is an array of a class of its own. The array methods that make
# a new array begin with `new Class(0)`, and the constructor of that class takes the 0 for the first step. So `filter` and
# `flatMap` give `[0]` where a plain array gives `[]`.
# A good guess: `path.filter(…)` of an array that `Array.isArray` accepts is empty when nothing passes.
# What to do: copy it first, `[...path]`.
# Seen: the output below. The script fails if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund arktype@2.2.10
cat >look.mjs <<'JS'
import { type } from 'arktype';

const body = type({ list: type({ a: 'number' }).array() });
const { issues } = await body['~standard'].validate({ list: [{ a: 'x' }] });
const { path } = issues[0];
console.log('is an array:', Array.isArray(path));
console.log('path:', JSON.stringify(path));
console.log('filter that keeps nothing:', JSON.stringify(path.filter(() => false)));
console.log('flatMap to nothing:', JSON.stringify(path.flatMap(() => [])));
console.log('the same of a copy:', JSON.stringify([...path].filter(() => false)));
JS
node look.mjs | tee seen.txt
diff seen.txt - <<'TEXT'
is an array: true
path: ["list",0,"a"]
filter that keeps nothing: [0]
flatMap to nothing: [0]
the same of a copy: []
TEXT
