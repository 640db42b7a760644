import type { GuardFamily } from './family.ts';
import type { Route } from './route.ts';

/** What `console.log` shows of a guard: no credential, no key, no address. */
export function guardView({ store }: GuardFamily, route: Route): object {
  const { passthrough, types } = route.rules;
  const { shutdown, tally } = route.branch;
  return {
    name: route.settings.name,
    state: shutdown?.state ?? 'open',
    connections: tally.connections,
    pending: tally.pending,
    messages: passthrough === undefined ? [...types.keys()] : 'passthrough',
    auth: route.settings.auth.map(({ scheme }) => scheme),
    store: store.isShared ? 'shared' : 'memory',
  };
}
