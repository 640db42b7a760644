export { connectionOf, type GracefulShutdown, gracefulShutdown, type ShutdownOptions } from '@sallyport/ws';
export { type KoaApplication, upgrade } from './koa-dispatch.ts';
export { websocket } from './koa-route.ts';
export { type KoaContext, refuseUnguarded } from './koa-unguarded-refusal.ts';
export { guardKoaWebsocket, type KoaWebSocket, type KoaWebsocketOptions } from './koa-websocket-gate.ts';
