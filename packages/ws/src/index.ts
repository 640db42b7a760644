export type { WebSocket, WebSocketServer } from 'ws';
export { announce } from './announce.ts';
export { bypassRefusal } from './bypass.ts';
export { type GateOptions, type GateTarget, gate, type PublicTarget } from './gate.ts';
export { Gatehouse, type Others, type Owner, standBefore, type UpgradeListener } from './gatehouse.ts';
export {
  type GracefulShutdown,
  type GracefulShutdownOptions,
  gracefulShutdown,
} from './graceful-shutdown.ts';
export { type GuardServerOptions, guardServer } from './guard-server.ts';
export { connectionOf } from './guarded-socket.ts';
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
