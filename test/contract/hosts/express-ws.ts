import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connectionOf, guardExpressWs } from '@sallyport/express';
import express from 'express';
import expressWs from 'express-ws';
import type { WebSocket } from 'ws';
import { bareEcho, echo, type Host, Notes, serve, sessionOf } from './host.ts';

/** An express-ws application behind a gate. Its sockets are of ws 7. */
export const expressWsHost: Host = {
  name: 'express-ws',
  capabilities: {
    middleware: true,
    // A gate has one guard: routes of express-ws cannot name their own.
    routeGuards: false,
    knowsRoutes: true,
    answersRequests: false,
    catchesRejections: true,
    boundsPeersClose: false,
    namesInflatedSize: false,
  },
  async start({ guard, tls, chat = echo }) {
    const notes = new Notes();
    const base = express();
    const server = tls === undefined ? createHttpServer(base) : createHttpsServer(tls, base);
    const instance = expressWs(base as never, server as never);
    guardExpressWs(instance as never, guard);
    const { app } = instance;
    app.use((request, _response, next) => {
      notes.log(request);
      Object.assign(request, { session: sessionOf(request.headers) });
      next();
    });
    app.get('/plain', (_request, response) => void response.send('plain'));
    app.ws('/chat', (ws, request) => {
      notes.handled.push(request.originalUrl);
      const socket = ws as unknown as WebSocket;
      return chat(connectionOf(socket, guard), socket, request) as undefined;
    });
    app.ws('/bare', (ws, request) => {
      notes.handled.push(request.originalUrl);
      bareEcho(ws as unknown as WebSocket);
    });
    return { ...notes, ...(await serve(server)) };
  },
};
