import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type ExpressApplication, refuseUnguarded, upgrade, websocket } from '@sallyport/express';
import express from 'express';
import express4 from 'express4';
import { bareEcho, echo, type Host, Notes, serve, sessionOf } from './host.ts';

/** Express with its own dispatch: upgrades run through the application as requests do. */
function expressHost(name: string, create: typeof express): Host {
  return {
    name,
    capabilities: {
      middleware: true,
      routeGuards: true,
      knowsRoutes: true,
      answersRequests: true,
      catchesRejections: true,
      boundsPeersClose: true,
      namesInflatedSize: true,
    },
    async start({ guard, admin, tls, chat = echo }) {
      const notes = new Notes();
      const app = create();
      app.use((request, _response, next) => {
        notes.log(request);
        Object.assign(request, { session: sessionOf(request.headers) });
        next();
      });
      app.use(refuseUnguarded(guard));
      app.get('/plain', (_request, response) => void response.send('plain'));
      app.get(
        '/chat',
        websocket(guard, (connection, request, socket) => {
          notes.handled.push(request.url ?? '');
          return chat(connection, socket, request);
        }),
      );
      app.get(
        '/bare',
        websocket(guard, (_connection, request, socket) => {
          notes.handled.push(request.url ?? '');
          bareEcho(socket);
        }),
      );
      if (admin !== undefined)
        app.get(
          '/admin',
          websocket(admin, (_connection, _request, socket) => bareEcho(socket)),
        );
      const handler = app as unknown as ExpressApplication;
      const server =
        tls === undefined ? createHttpServer(handler as never) : createHttpsServer(tls, handler as never);
      upgrade(server, handler, guard);
      return { ...notes, ...(await serve(server)) };
    },
  };
}

export const express5Host = expressHost('express 5', express);
export const express4Host = expressHost('express 4', express4 as unknown as typeof express);
