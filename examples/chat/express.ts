import { refuseUnguarded, upgrade, websocket } from '@sallyport/express';
import express, { type ErrorRequestHandler } from 'express';
import { bodyProblem, notFound, sendAnswer } from './chat/answer.ts';
import { BODY_BYTES } from './chat/body.ts';
import { createWebServer, listenGuarded, type Serve } from './server/web-server.ts';

/** The chat on Express. */
export const serveExpress: Serve = (api, page, { port, certificate }) => {
  const { chat } = api;
  const app = express();
  app.disable('x-powered-by');
  app.use(refuseUnguarded(chat.guard));
  app.use(express.json({ limit: BODY_BYTES }));

  app.get(
    '/chat',
    websocket(chat.guard, (connection) => chat.join(connection)),
  );
  app.get(
    '/chat/late',
    websocket(chat.late, (connection) => chat.join(connection)),
  );

  app.post('/login', async (request, response) =>
    sendAnswer(response, await api.login(request.headers, request.body)),
  );
  app.post('/logout', async ({ headers }, response) => sendAnswer(response, await api.logout(headers)));
  app.post('/token', async ({ headers }, response) => sendAnswer(response, await api.token(headers)));
  app.post('/ticket', async ({ headers }, response) => sendAnswer(response, await api.ticket(headers)));
  app.get('/health', (_request, response) => sendAnswer(response, api.health()));
  app.get('/setup', async ({ headers }, response) => sendAnswer(response, await api.setup(headers)));
  app.get('/decisions', (_request, response) => chat.feed.stream(response));
  app.use((request, response) =>
    sendAnswer(response, (request.method === 'GET' && page.get(request.path)) || notFound),
  );
  const onError: ErrorRequestHandler = (error, _request, response, _next) =>
    sendAnswer(response, bodyProblem(error));
  app.use(onError);

  const server = createWebServer(certificate, app);
  upgrade(server, app, chat.guard);
  return listenGuarded(server, chat.guard, port);
};
