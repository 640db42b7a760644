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
];
