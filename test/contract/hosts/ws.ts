import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connectionOf, guardServer } from '@sallyport/ws';
import { type WebSocket, WebSocketServer } from 'ws';
import { bareEcho, echo, type Host, Notes, serve } from './host.ts';

/** node:http and ws, without a framework. */
export const wsHost: Host = {
  name: 'ws',
  capabilities: {
    // No application runs between the server and the handler.
    middleware: false,
    routeGuards: true,
    knowsRoutes: true,
    answersRequests: false,
    catchesRejections: true,
    boundsPeersClose: true,
    namesInflatedSize: true,
  },
  async start({ guard, admin, tls, chat = echo }) {
    const notes = new Notes();
    const server = tls === undefined ? createHttpServer() : createHttpsServer(tls);
    server.on('request', (_request, response) => response.end('plain'));
    const route = (
      path: string,
      own: typeof guard,
      handler: (socket: WebSocket, request: unknown) => void,
    ) => {
      const wss = new WebSocketServer({ noServer: true });
      guardServer(server, wss, own, { path });
      wss.on('connection', (socket, request) => {
        notes.log(request);
        notes.handled.push(request.url ?? '');
        return handler(socket, request);
      });
    };
    route('/chat', guard, (socket, request) => chat(connectionOf(socket, guard), socket, request));
    route('/bare', guard, bareEcho);
    if (admin !== undefined) route('/admin', admin, bareEcho);
    return { ...notes, ...(await serve(server)) };
  },
};
