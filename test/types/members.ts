import type { Bans, Connection, Guard, TicketOffice } from '@sallyport/core';
import type { HostGuard, HostHandshake } from '@sallyport/core/host';

/** What an editor offers after a dot. A member that is not listed, or not there any more, does not compile. */
type Members<T> = Readonly<Record<keyof T, 'offered'>>;

export const guard: Members<Guard> = {
  name: 'offered',
  extend: 'offered',
  family: 'offered',
  on: 'offered',
  explain: 'offered',
  stats: 'offered',
  connections: 'offered',
  broadcast: 'offered',
  revoke: 'offered',
  bans: 'offered',
  tickets: 'offered',
  close: 'offered',
};

export const connection: Members<Connection> = {
  id: 'offered',
  identity: 'offered',
  state: 'offered',
  subprotocol: 'offered',
  address: 'offered',
  path: 'offered',
  signal: 'offered',
  on: 'offered',
  onClose: 'offered',
  send: 'offered',
  close: 'offered',
  terminate: 'offered',
};

export const bans: Members<Bans> = { list: 'offered', add: 'offered', lift: 'offered' };

export const ticketOffice: Members<TicketOffice> = { issue: 'offered' };

export const hostGuard: Members<HostGuard> = {
  begin: 'offered',
  enter: 'offered',
  admit: 'offered',
  closeServer: 'offered',
  reopenServer: 'offered',
  isClosed: 'offered',
  limits: 'offered',
  closesInstead: 'offered',
  useLogger: 'offered',
  schedule: 'offered',
  warn: 'offered',
};

export const hostHandshake: Members<HostHandshake> = {
  ended: 'offered',
  admitted: 'offered',
  target: 'offered',
  path: 'offered',
  offeredSubprotocols: 'offered',
  subprotocol: 'offered',
  deny: 'offered',
  fault: 'offered',
  abandon: 'offered',
};

// @ts-expect-error: `lift` is not listed.
export const incomplete: Members<Bans> = { list: 'offered', add: 'offered' };

// @ts-expect-error: Bans have no such member.
export const outdated: Members<Bans> = { ...bans, clear: 'offered' };

/** Only `createGuard` and `extend` make a guard. */
type GuardClass = typeof import('../../packages/core/src/guard/guard.ts').Guard;
// @ts-expect-error: The constructor is private.
export type Constructed = ConstructorParameters<GuardClass>;
