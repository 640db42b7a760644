import websocket from '@fastify/websocket';
import { connectionOf, sallyport } from '@sallyport/fastify';
import fastify, { type FastifyInstance } from 'fastify';
import { bareEcho, echo, type Host, Notes, serve, sessionOf } from './host.ts';

/** Fastify with @fastify/websocket. Its own logger writes into the record. */
export const fastifyHost: Host = {
  name: 'fastify',
  capabilities: {
    middleware: true,
    routeGuards: true,
    knowsRoutes: true,
    answersRequests: true,
    catchesRejections: true,
    boundsPeersClose: true,
    namesInflatedSize: true,
  },
  async start({ guard, admin, tls, closeWithin, chat = echo }) {
    const notes = new Notes();
    const stream = { write: (line: string) => void notes.logged.push(line) };
    const app = fastify({
      logger: { level: 'trace', stream },
      ...(tls && { https: tls }),
    }) as unknown as FastifyInstance;
    await app.register(websocket);
    await app.register(sallyport, { guard, ...(closeWithin !== undefined && { closeWithin }) });
    app.addHook('onRequest', async (request) => {
      notes.log(request.raw);
      Object.assign(request, { session: sessionOf(request.headers) });
    });
    app.get('/plain', async () => 'plain');
    app.get('/chat', { websocket: true }, (socket, request) => {
      notes.handled.push(request.url);
      return chat(connectionOf(socket, guard), socket, request) as undefined;
    });
    app.get('/bare', { websocket: true }, (socket, request) => {
      notes.handled.push(request.url);
      bareEcho(socket);
    });
    if (admin !== undefined)
      app.get('/admin', { websocket: true, config: { guard: admin } }, (socket) => bareEcho(socket));
    await app.listen({ port: 0, host: '127.0.0.1' });
    return { ...notes, ...(await serve(app.server)), end: () => app.close() };
  },
};
