export { connectionOf, gracefulShutdown } from '@sallyport/ws';
export { type GateOptions, gate, type KoaWebSocket } from './gate.ts';
export { type KoaContext, sallyport } from './sallyport.ts';
export { type KoaApplication, upgrade } from './upgrade.ts';
export { websocket } from './websocket.ts';
