/**
 * What an adapter on top of node:http and ws needs: gates, own dispatch, upgrades. Applications need `@sallyport/ws` only.
 *
 * @packageDocumentation
 */
export { announce } from './announce.ts';
export { bypassRefusal } from './bypass.ts';
export { type GateOptions, type GateTarget, gate, type PublicTarget } from './gate.ts';
export { Gatehouse, type Others, type Owner, standBefore, type UpgradeListener } from './gatehouse.ts';
export {
  acceptUpgrade,
  type DispatchOptions,
  dispatchInstead,
  dispatchUpgrade,
  dispatchUpgrades,
  type RunApplication,
  type UpgradeTarget,
} from './own-dispatch.ts';
export { handshakeRequest } from './request.ts';
export { type Upgrade, upgradeOf } from './upgrade.ts';
export { answerSwitching } from './upgrade-response.ts';
