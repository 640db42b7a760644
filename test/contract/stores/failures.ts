import { expect } from '@jest/globals';
import type { Acquired, Lease, LeaseRequest, Store } from '@sallyport/core/store';
import { eventually } from '../../support/eventually.ts';

/** In milliseconds: the store's timeout, what a busy machine may add to it, and how long a recovery may take. */
export const TIMEOUT = 300;
export const SLACK = 2_000;
export const RECOVERY = 20_000;

export const LIMIT = { interval: 600_000, burst: 100 };
const TERMS = { duration: 60_000, growth: 1, longest: 60_000, memory: 1_000 };
export const SLOTS = [
  { key: 'connections', cap: 1 },
  { key: 'address a', cap: 1 },
];

const OPERATIONS: Readonly<Record<string, (store: Store) => unknown>> = {
  precheck: (store) =>
    store.precheck({
      bans: ['address a'],
      hits: [{ keys: ['handshake a'], limit: LIMIT, cost: 1 }],
      leases: SLOTS,
    }),
  charge: (store) => store.charge({ keys: ['failures a'], limit: LIMIT, cost: 1 }),
  acquire: (store) => store.acquire(SLOTS),
  put: (store) => store.put('ticket a', 'value', 1_000),
  redeem: (store) => store.redeem('ticket a'),
  ban: (store) => store.ban('address b', TERMS),
  unban: (store) => store.unban('address b'),
  bans: (store) => store.bans(10),
  revoke: (store) => store.revoke({ subject: 'alice', issuedBefore: 1 }),
  shares: (store) => store.shares([{ key: 'messages a', hits: 1 }], 1_000),
  ping: (store) => store.ping(),
};

interface Outcome {
  readonly name: string;
  readonly error: unknown;
  readonly ms: number;
}

/** Runs every operation at once, and returns how each of them ended. */
export function everything(store: Store): Promise<Outcome[]> {
  return Promise.all(
    Object.entries(OPERATIONS).map(async ([name, operation]) => {
      const start = performance.now();
      const error = await Promise.resolve(operation(store)).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      return { name, error, ms: performance.now() - start };
    }),
  );
}

/** Expects that each of them was rejected with an error, in time. */
export function expectRefusals(outcomes: readonly Outcome[]): void {
  for (const { name, error, ms } of outcomes) {
    expect([name, error]).toEqual([name, expect.any(Error)]);
    expect([name, Math.max(ms, TIMEOUT + SLACK)]).toEqual([name, TIMEOUT + SLACK]);
  }
}

export async function works(store: Store): Promise<void> {
  await eventually(
    async () => (await everything(store)).every(({ error }) => error === undefined),
    'the store to work again',
    RECOVERY,
  );
}

/** Whether one of the slots is full; `undefined` if the store does not answer. */
export async function isFull(store: Store, leases: readonly LeaseRequest[]): Promise<boolean | undefined> {
  try {
    return (await store.precheck({ bans: [], hits: [], leases })).full !== -1;
  } catch {
    return undefined;
  }
}

export function leaseOf(acquired: Acquired): Lease {
  if ('lease' in acquired) return acquired.lease;
  throw new Error(`slot ${acquired.full} was full`);
}
