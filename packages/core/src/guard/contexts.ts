import type { ConnectionContext } from '../connection/connection-context.ts';
import type { GuardedConnection } from '../connection/guarded-connection.ts';
import type { Pending } from '../connection/pending.ts';
import type { PendingContext } from '../connection/pending-context.ts';
import { addresseeOf, checkFrame, inspectMessage } from '../message/pipeline.ts';
import { OpaqueWriter } from '../outbound/writer.ts';
import type { Identity } from '../vocabulary/ports.ts';
import type { GuardFamily } from './family.ts';
import { readPendingMessage, renewConnection } from './late-authentication.ts';
import type { Route } from './route.ts';

/** The settings of a route's connections, and the functions through which connections call the message stages and the family. */
export interface RouteContexts {
  readonly connection: ConnectionContext<GuardedConnection>;
  readonly pending: PendingContext<Pending>;
}

export function contextsOf(family: GuardFamily, route: Route): RouteContexts {
  return { connection: connectionContext(family, route), pending: pendingContext(family, route) };
}

function connectionContext(family: GuardFamily, route: Route): ConnectionContext<GuardedConnection> {
  const { rules, writer, settings, branch } = route;
  const { limits, renewal } = settings;
  const tolerances = new Map(settings.auth.map(({ scheme, tolerance = 0 }) => [scheme, tolerance]));
  const toleranceOf = ({ scheme }: Identity): number => tolerances.get(scheme) ?? 0;
  return {
    clock: family.clock,
    events: branch.events,
    onDenied: settings.onDenied,
    violations: limits.violations,
    onRate: settings.onRate,
    throttle: route.throttle,
    controls: limits.controls,
    reportRate: rules.reportRate,
    liveness: route.liveness,
    queuedMessages: limits.queuedMessages,
    closeTimeout: family.closeTimeout,
    checkFrame: (connection, bytes, now) => checkFrame(bytes, now, connection, rules),
    inspectMessage: (connection, data, isBinary) => inspectMessage(data, isBinary, connection, rules),
    addresseeOf: (data, isBinary) => addresseeOf(data, isBinary, rules),
    knows: (type) => rules.types.has(type),
    writer: rules.passthrough === undefined ? writer : new OpaqueWriter(writer.options),
    onFault: settings.onFault,
    buffered: limits.buffered,
    onSlowConsumer: settings.onSlowConsumer,
    renew: (connection, message) => renewConnection(family, route, connection, message),
    isRevoked: (identity) => family.revocations.covers(identity, toleranceOf(identity)),
    toleranceOf,
    lifetime: limits.lifetime,
    expiryNotice: renewal === false ? 0 : (renewal.notice ?? 0),
    offence: ({ address, bannable, identity }) =>
      family.bans.offence({ ...family.sourceOf(address), bannable }, identity),
    opened: (connection) => family.opened(connection, branch),
    closed: (connection, reason) => family.closed(connection, reason, branch),
  };
}

function pendingContext(family: GuardFamily, route: Route): PendingContext<Pending> {
  const { pendings, lingering } = family.registry;
  const { settings, branch } = route;
  const { limits, firstMessage } = settings;
  return {
    timeout: limits.pendingTimeout,
    attempts: limits.authAttempts,
    authMessageBytes: limits.authMessage,
    queuedBytes: limits.pendingBytes,
    early: firstMessage === false ? 'refuse' : firstMessage.early,
    controls: limits.controls.burst,
    clock: family.clock,
    events: branch.events,
    closeTimeout: family.closeTimeout,
    writer: route.writer,
    readAuth: (data, isBinary) => readPendingMessage(data, isBinary, route),
    opened(pending) {
      pendings.add(pending);
      branch.waits();
    },
    settled(pending) {
      if (pendings.delete(pending)) branch.waited();
    },
    lingers: (pending) => void lingering.add(pending),
    closed: (pending) => family.lingered(pending, branch),
  };
}
