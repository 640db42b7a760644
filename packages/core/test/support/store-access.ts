import type { Clock } from '@sallyport/core';
import type { Store } from '@sallyport/core/store';
import { StoreAccess, type StoreAccessOptions } from '../../src/limits/store-access.ts';
import type { FailureModes } from '../../src/limits/store-fallback.ts';

export const BAN_TERMS = { duration: 60_000, growth: 2, longest: 600_000, memory: 3_600_000 } as const;

export const ALL_LOCAL = {
  handshakes: 'local',
  authFailures: 'local',
  bans: 'local',
  connections: 'local',
} as const;

type Options = Partial<Omit<StoreAccessOptions, 'modes'>> & { readonly modes?: FailureModes };

/** A store as a guard uses it, and what it has told. */
export function accessTo(store: Store | undefined, clock: Clock, { modes, ...options }: Options = {}) {
  const told: string[] = [];
  const faults: unknown[] = [];
  const access = new StoreAccess({
    clock,
    store,
    timeout: 500,
    modes: { ...ALL_LOCAL, ...modes },
    banTerms: BAN_TERMS,
    maxRevocations: 10,
    listener: {
      revoked: ({ subject, session, tokenId }) => void told.push(`revoked ${subject ?? session ?? tokenId}`),
      banned: ({ key, count }) => void told.push(`banned ${key} ${count}`),
      unbanned: (key) => void told.push(`unbanned ${key}`),
      known: () => [],
    },
    onFailing: () => void told.push('failing'),
    onRecovered: (milliseconds) => void told.push(`recovered ${milliseconds}`),
    onFault: (error) => void faults.push(error),
    ...options,
  });
  return { access, told, faults };
}
