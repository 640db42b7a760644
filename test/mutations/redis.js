// What `pnpm mutate` switches off in packages/redis/src.
import { attack, redis } from './paths.js';

export const mutations = [
  {
    stage: 'store',
    what: 'slots of a node that is gone lapse',
    file: redis('scripts/slot-scripts'),
    find: "redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.0f', ms))",
    replace: '',
    tests: attack('lost-node'),
  },
  {
    stage: 'store',
    what: 'a request that replaces takes nothing away',
    file: redis('scripts/slot-scripts'),
    find: 'surplus > 0 and replaces and cap > 0 and eldest(key, surplus) or {}',
    replace: '{}',
    tests: ['test/contract/stores.test.ts'],
  },
  {
    stage: 'store',
    what: 'slots of a living node are renewed',
    file: redis('leases/lease-renewal'),
    find: 'this.#repeater.start();',
    replace: '',
    tests: attack('lost-node'),
  },
  {
    stage: 'store',
    what: 'a cap counts the slots of every node',
    file: redis('scripts/slot-scripts'),
    find: 'if surplus > #oldest then',
    replace: 'if false then',
    tests: attack('lost-node'),
  },
  {
    stage: 'store',
    what: 'a Redis that takes no writes counts as one that works',
    file: redis('scripts/value-scripts'),
    find: "return redis.call('SET', KEYS[1], '', 'PX', 1000)",
    replace: "return redis.call('EXISTS', KEYS[1])",
    tests: ['test/contract/store-unwritable.test.ts'],
  },
  {
    stage: 'store',
    what: 'a revocation that cannot be stored is told to nobody',
    file: redis('scripts/revocation-scripts'),
    find: 'local stored, failure = pcall(function()',
    replace: 'local stored, failure = (function(step) step() return true end)(function()',
    tests: ['test/contract/store-unwritable.test.ts'],
  },
  {
    stage: 'store',
    what: 'revocations are not read from a Redis that takes no writes',
    file: redis('scripts/revocation-scripts'),
    find: "if redis.call('EXISTS', KEYS[1]) == 0 then redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) end",
    replace: "redis.call('SET', KEYS[1], ARGV[1], 'NX')",
    tests: ['test/contract/store-unwritable.test.ts'],
  },
  {
    stage: 'store',
    what: 'a full Redis hands out slots, so that nobody learns that it is full',
    file: redis('scripts/slot-scripts'),
    find: "if redis.call('ZCOUNT', key, '-inf', string.format('%.0f', ms)) > 0 then sweep(key) end",
    replace: 'sweep(key)',
    tests: ['test/contract/store-unwritable.test.ts'],
  },
];
