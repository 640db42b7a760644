import type { IncomingMessage } from 'node:http';
import type { AnyGuard } from '@sallyport/core';
import { type Denial, deny, type Refusal, refusalOf } from '@sallyport/core/host';
import { handshakeRequest } from './request.ts';
import { upgradeOf } from './upgrade.ts';

/**
 * For an application's middleware chain: the refusal of an upgrade request that has not come through the outer door of
 * this guard's family; `undefined` for every other request, ordinary ones included.
 */
export function bypassRefusal(request: IncomingMessage, guard: AnyGuard): Refusal | undefined {
  const upgrade = upgradeOf(request);
  const passed = upgrade === undefined ? !asksForWebSocket(request) : upgrade.guard.isFamilyOf(guard);
  return passed ? undefined : refusalOf(bypassDenial(request, guard));
}

/** Tells the guard, so that it is counted, logged and seen as any other denial. */
export function bypassDenial(request: IncomingMessage, guard: AnyGuard): Denial {
  const denial = deny('internal', 'the upgrade did not come through the outer door of this guard').at(
    'route',
  );
  return guard.handshake(handshakeRequest(request), ignore).deny(denial);
}

function asksForWebSocket({ headers }: IncomingMessage): boolean {
  return /\bwebsocket\b/i.test(headers.upgrade ?? '');
}

function ignore(): void {}
