import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import Router from '@koa/router';
import { refuseUnguarded, upgrade, websocket } from '@sallyport/koa';
import Koa from 'koa';
import { bareEcho, echo, type Host, Notes, serve, sessionOf } from './host.ts';

/** Koa with its own dispatch: upgrades run through the middleware chain as requests do. */
export const koaHost: Host = {
  name: 'koa',
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
    const app = new Koa();
    app.silent = true;
    app.use((ctx, next) => {
      notes.log(ctx.req);
      Object.assign(ctx, { session: sessionOf(ctx.headers) });
      return next();
    });
    app.use(refuseUnguarded(guard) as Koa.Middleware);
    const router = new Router();
    router.get('/plain', (ctx) => {
      ctx.body = 'plain';
    });
    router.get(
      '/chat',
      websocket(guard, (connection, ctx, socket) => {
        notes.handled.push(ctx.req.url ?? '');
        return chat(connection, socket, ctx);
      }),
    );
    router.get(
      '/bare',
      websocket(guard, (_connection, ctx, socket) => {
        notes.handled.push(ctx.req.url ?? '');
        bareEcho(socket);
      }),
    );
    if (admin !== undefined)
      router.get(
        '/admin',
        websocket(admin, (_connection, _ctx, socket) => bareEcho(socket)),
      );
    app.use(router.routes());
    const server =
      tls === undefined ? createHttpServer(app.callback()) : createHttpsServer(tls, app.callback());
    upgrade(server, app as never, guard);
    return { ...notes, ...(await serve(server)) };
  },
};
