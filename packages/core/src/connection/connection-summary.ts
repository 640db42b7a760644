import type { Clock } from '../vocabulary/ports.ts';
import type { Connection } from './connection.ts';

/** What a log or a debugger may show of a connection: no claims, no session, and none of the guard's internals. */
export function summaryOf(connection: Connection & { readonly openedAt: number }, clock: Clock): object {
  const { id, state, address, path, subprotocol, openedAt } = connection;
  const { scheme, subject, expiresAt } = connection.identity;
  return {
    id,
    state,
    scheme,
    subject,
    address,
    path,
    subprotocol,
    since: new Date(clock.now() - (clock.monotonic() - openedAt)),
    expires: expiresAt === undefined ? undefined : new Date(expiresAt * 1_000),
  };
}
