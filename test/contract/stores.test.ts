import { afterAll, afterEach, beforeAll, beforeEach, describe } from '@jest/globals';
import { describeWith } from '../support/needs.ts';
import { memory, redisStores } from './stores/index.ts';
import type { Realm, StoreKind, World } from './stores/store.ts';
import { bansSuite } from './stores/suites/bans.ts';
import { keysSuite } from './stores/suites/keys.ts';
import { ratesSuite } from './stores/suites/rates.ts';
import { revocationsSuite, sharedRevocationsSuite } from './stores/suites/revocations.ts';
import { sharedSharesSuite, sharesSuite } from './stores/suites/shares.ts';
import { sharedSlotsSuite, slotsSuite } from './stores/suites/slots.ts';
import { valuesSuite } from './stores/suites/values.ts';

/** What every store does, and what a store shared by several nodes does as well. */
const SUITES = [ratesSuite, slotsSuite, valuesSuite, bansSuite, revocationsSuite, sharesSuite];
const SHARED_SUITES = [sharedSlotsSuite, sharedRevocationsSuite, sharedSharesSuite, keysSuite];

describe('memory', () => suite(memory, ''));
for (const kind of redisStores) describeWith('redis', kind.name, (program) => suite(kind, program));

function suite({ capabilities, start }: StoreKind, program: string): void {
  let world: World | undefined;
  let realm: Realm | undefined;
  beforeAll(async () => {
    world = await start(program);
  }, 60_000);
  afterAll(() => world?.close());
  beforeEach(() => {
    if (world === undefined) throw new Error('The store has not started.');
    realm = world.realm();
  });
  afterEach(() => realm?.close());
  for (const each of capabilities.shared ? [...SUITES, ...SHARED_SUITES] : SUITES)
    each(() => ({ capabilities, realm: realm as Realm }));
}
