/**
 * What an adapter on top of node:http and ws needs: gates, own dispatch, upgrades. Applications need `@sallyport/ws` only.
 *
 * @packageDocumentation
 */
export { emitConnection } from './connection-event.ts';
export { handshakeRequest } from './handshake-request.ts';
export {
  type AcceptOptions,
  acceptUpgrade,
  type DispatchOptions,
  dispatchInsteadOf,
  dispatchUpgrade,
  dispatchUpgrades,
  type RunApplication,
} from './own-dispatch.ts';
export { warnAboutKillTimeout } from './process-manager.ts';
export { refuseReplacedOptions } from './replaced-options.ts';
export { requireHttpServer } from './required-arguments.ts';
export { incompleteRefusal, unguardedRefusal } from './unguarded-upgrade.ts';
export { type Upgrade, upgradeOf } from './upgrade.ts';
export type { GuardedRoute, PublicRoute, UpgradeHooks } from './upgrade-decision.ts';
export {
  interceptUpgrades,
  type OtherUpgrades,
  type UpgradeHandler,
  UpgradeInterceptor,
  type UpgradeListener,
} from './upgrade-interceptor.ts';
export { answerWith101 } from './upgrade-response.ts';
export { type GateOptions, gate } from './ws-server-gate.ts';
