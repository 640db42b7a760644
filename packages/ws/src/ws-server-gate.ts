import type { AnyGuard } from '@sallyport/core';
import type { WebSocketServer } from 'ws';
import { refuse } from './http-refusal.ts';
import { denyUnguarded } from './unguarded-upgrade.ts';
import { upgradeOf } from './upgrade.ts';
import type { UpgradeHooks } from './upgrade-decision.ts';
import { switchIfAdmitted } from './upgrade-switch.ts';

/** Options of `gate()`: how to find the guard of an upgrade, and the guard for upgrades that no route has. */
export interface GateOptions extends UpgradeHooks {
  /** Refuses, and reports, an upgrade that did not come through the outer door, for which no route is looked up. */
  readonly guard: AnyGuard;
}

const gated = new WeakSet<WebSocketServer>();

/**
 * Runs the inner door before a ws server's `handleUpgrade`: no 101 is sent, and no handler sees a socket, before the inner
 * door has admitted the upgrade. Also for the ws servers that @fastify/websocket, express-ws and koa-websocket create.
 *
 * @throws TypeError for a ws server that has a gate already.
 */
export function gate(wss: WebSocketServer, options: GateOptions): void {
  if (gated.has(wss)) throw new TypeError('This WebSocket server has a guard already.');
  gated.add(wss);
  const { handleUpgrade } = wss;
  wss.handleUpgrade = (request, socket, _head, accept) => {
    const upgrade = upgradeOf(request);
    if (upgrade === undefined) {
      refuse(socket, denyUnguarded(request, options.guard), options.guard);
      return;
    }
    void switchIfAdmitted(upgrade, options, wss, handleUpgrade, accept);
  };
}
