export { connectionOf, gracefulShutdown } from '@sallyport/ws';
export { type ExpressWs, gate } from './gate.ts';
export { sallyport } from './sallyport.ts';
export { type ExpressApplication, upgrade } from './upgrade.ts';
export { websocket } from './websocket.ts';
