export { connectionOf, type GracefulShutdown, gracefulShutdown, type ShutdownOptions } from '@sallyport/ws';
export { type ExpressApplication, upgrade } from './express-dispatch.ts';
export { websocket } from './express-route.ts';
export { refuseUnguarded } from './express-unguarded-refusal.ts';
export { type ExpressWs, guardExpressWs } from './express-ws-gate.ts';
