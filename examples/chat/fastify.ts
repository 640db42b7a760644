import websocket from '@fastify/websocket';
import { sallyport } from '@sallyport/fastify';
import { connectionOf } from '@sallyport/ws';
import Fastify, { type FastifyReply } from 'fastify';
import { type Answer, bodyProblem, notFound } from './chat/answer.ts';
import { BODY_BYTES } from './chat/body.ts';
import { ADDRESS, type Serve } from './server/web-server.ts';

/** The chat on Fastify and @fastify/websocket. */
export const serveFastify: Serve = async (api, page, { port, certificate }) => {
  const { chat } = api;
  const app = Fastify({
    https: certificate ?? null,
    bodyLimit: BODY_BYTES,
    forceCloseConnections: true,
  });
  await app.register(websocket);
  await app.register(sallyport, { guard: chat.guard });

  app.get('/chat', { websocket: true }, (socket) => chat.join(connectionOf(socket, chat.guard)));
  app.get('/chat/late', { websocket: true, config: { guard: chat.late } }, (socket) =>
    chat.join(connectionOf(socket, chat.late)),
  );

  app.post('/login', async (request, reply) => send(reply, await api.login(request.headers, request.body)));
  app.post('/logout', async (request, reply) => send(reply, await api.logout(request.headers)));
  app.post('/token', async (request, reply) => send(reply, await api.token(request.headers)));
  app.post('/ticket', async (request, reply) => send(reply, await api.ticket(request.headers)));
  app.get('/health', (_request, reply) => send(reply, api.health()));
  app.get('/setup', async (request, reply) => send(reply, await api.setup(request.headers)));
  app.get('/decisions', (_request, reply) => {
    reply.hijack();
    chat.feed.stream(reply.raw);
  });
  app.get('/*', (request, reply) => send(reply, page.get(request.url.split('?')[0] ?? '') ?? notFound));
  app.setNotFoundHandler((_request, reply) => send(reply, notFound));
  app.setErrorHandler((error, _request, reply) => send(reply, bodyProblem(error)));

  const url = await app.listen({ port, host: ADDRESS });
  return { port: Number(new URL(url).port), close: () => app.close() };
};

function send(reply: FastifyReply, { status, headers, body }: Answer): FastifyReply {
  return reply.code(status).headers(headers).send(body);
}
