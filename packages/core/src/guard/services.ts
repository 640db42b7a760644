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
  const { rules, writer, settings } = route;
  const { limits, renewal } = settings;
  const tolerances = new Map(settings.auth.map(({ scheme, tolerance = 0 }) => [scheme, tolerance]));
  return {
    clock: family.clock,
    events: family.events,
    onDenied: settings.onDenied,
    violations: limits.violations,
    onRate: settings.onRate,
    throttle: route.throttle,
    controls: limits.controls,
    reportRate: rules.reportRate,
    liveness: route.liveness,
    queuedMessages: limits.queuedMessages,
    closeTimeout: family.closeTimeout,
    admit: (connection, bytes, now) => admit(bytes, now, connection, rules),
    judge: (connection, data, isBinary) => judge(data, isBinary, connection, rules),
    knows: (type) => rules.types.has(type),
    writer,
    onFault: settings.onFault,
    buffered: limits.buffered,
    onSlowConsumer: settings.onSlowConsumer,
    renew: (connection, message) => renewConnection(family, route, connection, message),
    isRevoked: (identity) => family.revocations.covers(identity),
    toleranceOf: ({ scheme }) => tolerances.get(scheme) ?? 0,
    lifetime: limits.lifetime,
    expiryNotice: renewal === false ? 0 : (renewal.notice ?? 0),
    offence: ({ address, bannable, identity }) =>
      family.bans.offence({ ...family.sourceOf(address), bannable }, identity),
    opened: (connection) => family.opened(connection),
    closed: (connection, reason) => family.closed(connection, reason),
  };
}

function pendingServices(family: GuardFamily, route: Route): PendingServices {
  const { pendings, lingering } = family.registry;
  const { limits, firstMessage } = route.settings;
  return {
    timeout: limits.pendingTimeout,
    attempts: limits.authAttempts,
    authMessageBytes: limits.authMessage,
    queuedBytes: limits.pendingBytes,
    early: firstMessage === false ? 'refuse' : firstMessage.early,
    controls: limits.controls.burst,
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
