import type { IncomingMessage } from 'node:http';
import type { AnyGuard } from '@sallyport/core';
import { type Denial, deny, hostGuard, type Refusal, refusalOf, shareOuterDoor } from '@sallyport/core/host';
import { handshakeRequest } from './handshake-request.ts';
import { upgradeOf } from './upgrade.ts';

/**
 * The refusal of a WebSocket upgrade request that has not passed the outer door of this guard's family, for an
 * application's middleware. `undefined` for every other request.
 */
export function unguardedRefusal(request: IncomingMessage, guard: AnyGuard): Refusal | undefined {
  const upgrade = upgradeOf(request);
  const isGuarded = upgrade === undefined ? !asksForWebSocket(request) : shareOuterDoor(upgrade.guard, guard);
  return isGuarded ? undefined : refusalOf(denyUnguarded(request, guard));
}

/** Denies through a handshake of the guard, so that the denial is counted, logged and emitted like any other. */
export function denyUnguarded(request: IncomingMessage, guard: AnyGuard): Denial {
  const denial = deny('internal', 'the upgrade did not come through the outer door of this guard').at(
    'route',
  );
  return hostGuard(guard).begin(handshakeRequest(request), ignore).deny(denial);
}

function asksForWebSocket({ headers }: IncomingMessage): boolean {
  return /\bwebsocket\b/i.test(headers.upgrade ?? '');
}

function ignore(): void {}
