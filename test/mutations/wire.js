// What `pnpm mutate` switches off in packages/core/src/wire.
import { core } from './paths.js';

export const mutations = [
  {
    stage: 'parse',
    what: 'a nested envelope holds anything',
    file: core('wire/nested'),
    find: "if (key !== 'type' && key !== 'data' && key !== 'id') return undefined;",
    replace: '',
    tests: ['packages/core/test/wire/nested.test.ts'],
  },
  {
    stage: 'parse',
    what: 'a JSON-RPC call holds anything',
    file: core('wire/json-rpc'),
    find: "if (key !== 'jsonrpc' && key !== 'method' && key !== 'params' && key !== 'id') return undefined;",
    replace: '',
    tests: ['packages/core/test/wire/json-rpc.test.ts'],
  },
  {
    stage: 'parse',
    what: 'an id may be as long as its sender likes',
    file: core('wire/message-id'),
    find: 'id.length <= MAX_ID_LENGTH',
    replace: 'true',
    tests: ['packages/core/test/wire/message-id.test.ts'],
  },
  {
    stage: 'parse',
    what: 'a codec need not tell of the keys that it reads',
    file: core('wire/codec'),
    find: 'if (keys === 2) return;',
    replace: 'if (keys >= 0) return;',
    tests: ['packages/core/test/wire/codec.test.ts'],
  },
];
