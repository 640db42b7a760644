// What `pnpm mutate` switches off in packages/core/src/policy, and in what reads options for it.
import { contract, core } from './paths.js';

const tests = [
  'packages/core/test/policy/policy-check.test.ts',
  'packages/core/test/policy/policy-settings.test.ts',
  'packages/core/test/vocabulary/option-table.test.ts',
];

export const mutations = [
  {
    stage: 'message-rate',
    what: 'markup costs as little as any message',
    file: core('policy/message-settings'),
    find: 'cost: given.cost ?? defaultCost(given.schema, limits)',
    replace: 'cost: given.cost ?? 1',
    tests: contract('messages'),
  },
  {
    stage: 'options',
    what: 'an option that nobody reads is taken in silence',
    file: core('vocabulary/option-checks'),
    find: 'if (unknown === undefined) return;',
    replace: 'return;',
    tests,
  },
  {
    stage: 'options',
    what: 'a value of the wrong kind is taken for left out',
    file: core('vocabulary/option-table'),
    find: 'const value = options[name] === undefined ? fallback : options[name];',
    replace: 'const value = options[name] ?? fallback;',
    tests,
  },
  {
    stage: 'options',
    what: 'a route sets what is decided for the whole server',
    file: core('policy/policy-check'),
    find: 'if (ofServer !== undefined) throw',
    replace: 'if (false) throw',
    tests,
  },
  {
    stage: 'options',
    what: 'an undefined option of a route switches off what it would inherit',
    file: core('policy/policy-settings'),
    find: '.filter(([, value]) => value !== undefined)',
    replace: '',
    tests,
  },
  {
    stage: 'options',
    what: 'pages of every origin connect with the cookie of their visitor',
    file: core('policy/credential-check'),
    find: 'if (!origins.allowsAnyPage) return;',
    replace: 'return;',
    tests,
  },
  {
    stage: 'options',
    what: 'an option of a rule may stand among the keywords of a schema',
    file: core('policy/message-settings'),
    find: '{ schema: bareSchema(entry, option) }',
    replace: '{ schema: entry }',
    tests: ['test/attacks/unenforced-schema.test.ts'],
  },
];
