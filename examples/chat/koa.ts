import Router from '@koa/router';
import { refuseUnguarded, upgrade, websocket } from '@sallyport/koa';
import Koa, { type Context, type Next } from 'koa';
import { type Answer, bodyProblem, notFound } from './chat/answer.ts';
import { readJson } from './chat/body.ts';
import { createWebServer, listenGuarded, type Serve } from './server/web-server.ts';

/** The chat on Koa and @koa/router. */
export const serveKoa: Serve = (api, page, { port, certificate }) => {
  const { chat } = api;
  const app = new Koa();
  const router = new Router();

  router.get(
    '/chat',
    websocket(chat.guard, (connection) => chat.join(connection)),
  );
  router.get(
    '/chat/late',
    websocket(chat.late, (connection) => chat.join(connection)),
  );

  router.post('/login', async (ctx) => send(ctx, await api.login(ctx.headers, await readJson(ctx.req))));
  router.post('/logout', async (ctx) => send(ctx, await api.logout(ctx.headers)));
  router.post('/token', async (ctx) => send(ctx, await api.token(ctx.headers)));
  router.post('/ticket', async (ctx) => send(ctx, await api.ticket(ctx.headers)));
  router.get('/health', (ctx) => send(ctx, api.health()));
  router.get('/setup', async (ctx) => send(ctx, await api.setup(ctx.headers)));
  router.get('/decisions', (ctx) => {
    ctx.respond = false;
    chat.feed.stream(ctx.res);
  });

  app.use(refuseUnguarded(chat.guard));
  app.use(onError);
  app.use(router.routes());
  app.use((ctx) => send(ctx, (ctx.method === 'GET' && page.get(ctx.path)) || notFound));

  const server = createWebServer(certificate, app.callback());
  upgrade(server, app, chat.guard);
  return listenGuarded(server, chat.guard, port);
};

async function onError(ctx: Context, next: Next): Promise<void> {
  try {
    await next();
  } catch (error) {
    send(ctx, bodyProblem(error));
  }
}

function send(ctx: Pick<Context, 'status' | 'body' | 'set'>, { status, headers, body }: Answer): void {
  ctx.status = status;
  ctx.set({ ...headers });
  ctx.body = body;
}
