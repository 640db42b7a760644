import type { IncomingMessage, Server } from 'node:http';
import type { AnyGuard } from '@sallyport/core';
import { type Denial, deny, hostGuard, type Refusal, refusalOf, shareOuterDoor } from '@sallyport/core/host';
import { handshakeRequest } from './handshake-request.ts';
import { upgradeOf } from './upgrade.ts';
import { hasOuterDoor } from './upgrade-interceptor.ts';
import { hasUpgradeOption, missingHeaders, namesWebSocket } from './websocket-headers.ts';

/**
 * The refusal of a WebSocket upgrade request that has not passed the outer door of this guard's family, for an
 * application's middleware. `undefined` for every other request.
 */
export function unguardedRefusal(request: IncomingMessage, guard: AnyGuard): Refusal | undefined {
  const upgrade = upgradeOf(request);
  const isGuarded = upgrade === undefined ? isOrdinary(request) : shareOuterDoor(upgrade.guard, guard);
  return isGuarded ? undefined : refusalOf(denyUnguarded(request, guard));
}

/**
 * The refusal of a request to a WebSocket route that lacks `Connection: Upgrade` or `Upgrade: websocket`, which it names: 400.
 * Node takes it for an ordinary request. `undefined` for a request that is no handshake at all.
 */
export function incompleteRefusal(request: IncomingMessage, guard: AnyGuard): Refusal | undefined {
  const missing = missingHeaders(request);
  if (missing.length === 0) return undefined;
  const lack = `no ${missing.join(' and no ')} in the handshake: a proxy may have removed it`;
  return refusalOf(
    denied(request, guard, deny('request_malformed', lack).at('request')),
    `There is ${lack}.`,
  );
}

/** Denies through a handshake of the guard, so that the denial is counted, logged and emitted like any other. */
export function denyUnguarded(request: IncomingMessage, guard: AnyGuard): Denial {
  return denied(
    request,
    guard,
    deny('internal', 'the upgrade did not come through the outer door of this guard').at('route'),
  );
}

function denied(request: IncomingMessage, guard: AnyGuard, denial: Denial): Denial {
  return hostGuard(guard).begin(handshakeRequest(request), ignore).deny(denial);
}

/**
 * Whether Node has taken the request for an ordinary one. A server with an outer door tells for certain: its upgrades come
 * to that door. On another server the headers tell, as Node reads them.
 */
function isOrdinary(request: IncomingMessage): boolean {
  const { server } = (request.socket ?? {}) as { server?: Server };
  if (server !== undefined && hasOuterDoor(server)) return true;
  return !namesWebSocket(request) || !hasUpgradeOption(request);
}

function ignore(): void {}
