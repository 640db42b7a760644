import { createServer } from 'node:http';
import { connectionOf, guardExpressWs } from '@sallyport/express';
import express from 'express';
import expressWs from 'express-ws';
import { byStore, loginRoutes, sessions } from './express.ts';
import { chat, type SessionHost, sessionGuard } from './host.ts';

/** The gate runs the application's own middleware before the 101. */
export const expressWsHost: SessionHost = {
  name: 'express-session on express-ws',
  start(clock) {
    const guard = sessionGuard(byStore, clock);
    const { middleware, ...store } = sessions();
    const removed: string[] = [];
    const plain = express();
    const server = createServer(plain);
    const instance = expressWs(plain as never, server);
    guardExpressWs(instance, guard);
    instance.app.use(middleware as never);
    loginRoutes(instance.app as never, clock);
    instance.app.ws('/chat', (socket) => chat(connectionOf(socket as never, guard), removed));
    return { server, guard, removed, ...store };
  },
};
