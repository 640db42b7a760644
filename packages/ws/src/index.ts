export type { WebSocket, WebSocketServer } from 'ws';
export { type GracefulShutdown, gracefulShutdown, type ShutdownOptions } from './graceful-shutdown.ts';
export { type GuardServerOptions, guardServer } from './guard-server.ts';
export { connectionOf } from './guarded-socket.ts';
