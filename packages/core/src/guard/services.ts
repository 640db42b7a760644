import type { PendingServices } from '../connection/pending.ts';
import type { ConnectionServices } from '../connection/services.ts';
import { admit, judge } from '../message/pipeline.ts';
import type { GuardFamily } from './family.ts';
import { readPendingMessage, renewConnection } from './late-authentication.ts';
import type { Route } from './route.ts';

/** What the rooms of one guard need of each other: hands one room's result to the next. */
export interface Services {
  readonly connection: ConnectionServices;
  readonly pending: PendingServices;
}

export function servicesOf(family: GuardFamily, route: Route): Services {
  return { connection: connectionServices(family, route), pending: pendingServices(family, route) };
}

function connectionServices(family: GuardFamily, route: Route): ConnectionServices {
  const { rules, writer } = route;
  const tolerances = new Map(route.authenticators.map(({ scheme, tolerance = 0 }) => [scheme, tolerance]));
  return {
    clock: family.clock,
    events: family.events,
    onDenied: route.onDenied,
    violations: route.violations,
    onRate: route.onRate,
    throttle: route.throttle,
    controls: route.controls,
    reportRate: rules.reportRate,
    liveness: route.liveness,
    queuedMessages: route.queuedMessages,
    closeTimeout: family.closeTimeout,
    admit: (connection, bytes, now) => admit(bytes, now, connection, rules),
    judge: (connection, data, isBinary) => judge(data, isBinary, connection, rules),
    knows: (type) => rules.types.has(type),
    writer,
    onFault: route.onFault,
    buffered: route.buffered,
    onSlowConsumer: route.onSlowConsumer,
    renew: (connection, message) => renewConnection(family, route, connection, message),
    isRevoked: (identity) => family.revocations.covers(identity),
    toleranceOf: ({ scheme }) => tolerances.get(scheme) ?? 0,
    lifetime: route.lifetime,
    expiryNotice: route.expiryNotice,
    offence: ({ address, bannable, identity }) =>
      family.bans.offence({ ...family.sourceOf(address), bannable }, identity),
    opened: (connection) => family.opened(connection),
    closed: (connection, reason) => family.closed(connection, reason),
  };
}

function pendingServices(family: GuardFamily, route: Route): PendingServices {
  const { pendings, lingering } = family.registry;
  return {
    ...route.pending,
    controls: route.controls.burst,
    clock: family.clock,
    events: family.events,
    closeTimeout: family.closeTimeout,
    writer: route.writer,
    readAuth: (data, isBinary) => readPendingMessage(data, isBinary, route),
    opened: (pending) => void pendings.add(pending),
    settled: (pending) => void pendings.delete(pending),
    lingers: (pending) => void lingering.add(pending),
    closed: (pending) => family.lingered(pending),
  };
}
