import type { Server } from 'node:http';
import { connectionOf, guardKoaWebsocket, type KoaWebSocket } from '@sallyport/koa';
import Koa from 'koa';
import websockify from 'koa-websocket';
import type { WebSocket } from 'ws';
import { bareEcho, echo, type Host, Notes, serve, sessionOf } from './host.ts';

/** A koa-websocket application behind a gate. Its sockets are of ws 8, and its routes are found after the 101. */
export const koaWebSocketHost: Host = {
  name: 'koa-websocket',
  capabilities: {
    middleware: true,
    // A gate has one guard, since koa-websocket's middleware runs after the 101.
    routeGuards: false,
    knowsRoutes: false,
    answersRequests: false,
    catchesRejections: true,
    boundsPeersClose: true,
    namesInflatedSize: true,
  },
  async start({ guard, tls, chat = echo }) {
    const notes = new Notes();
    const app = websockify(new Koa() as never, {}, tls as never);
    app.silent = true;
    const session: Koa.Middleware = (ctx, next) => {
      notes.log(ctx.req);
      Object.assign(ctx, { session: sessionOf(ctx.headers) });
      return next();
    };
    app.use((ctx) => {
      ctx.body = 'plain';
    });
    guardKoaWebsocket(app as unknown as KoaWebSocket, guard, { middleware: [session as never] });
    app.ws.use((ctx, next) => {
      if (ctx.path !== '/chat') return next();
      notes.handled.push(ctx.req.url ?? '');
      const socket = ctx.websocket as unknown as WebSocket;
      return chat(connectionOf(socket, guard), socket, ctx) as never;
    });
    app.ws.use((ctx, next) => {
      if (ctx.path !== '/bare') return next();
      notes.handled.push(ctx.req.url ?? '');
      return bareEcho(ctx.websocket as unknown as WebSocket) as never;
    });
    const server = app.listen(0, '127.0.0.1') as unknown as Server;
    await new Promise((resolve) => server.once('listening', resolve));
    return { ...notes, ...(await serve(server)) };
  },
};
