import cookie from '@fastify/cookie';
import session from '@fastify/session';
import websocket from '@fastify/websocket';
import { connectionOf, sallyport } from '@sallyport/fastify';
import Fastify, { type FastifyRequest } from 'fastify';
import {
  chat,
  type Kept,
  type ReadSession,
  SECRET,
  type SessionHost,
  seconds,
  sessionGuard,
} from './host.ts';

declare module 'fastify' {
  interface Session extends Kept {}
}

const read: ReadSession = ({ native }) => {
  const { session: found, sessionStore } = native as FastifyRequest;
  const { user, since, sessionId } = found;
  if (user === undefined) return undefined;
  const stillValid = (): Promise<boolean> =>
    new Promise((resolve, reject) =>
      sessionStore.get(sessionId, (error: unknown, now?: Kept | null) =>
        error ? reject(error) : resolve(now?.user === user),
      ),
    );
  return { subject: user, session: sessionId, issuedAt: since, claims: { role: 'user' }, stillValid };
};

/** The store of @fastify/session, which has no public access to its sessions. */
class CountedStore extends session.MemoryStore {
  readonly ids = new Set<string>();
  broken = false;

  override set(...[id, kept, callback]: Parameters<session.MemoryStore['set']>): void {
    this.ids.add(id);
    super.set(id, kept, callback);
  }

  override get(...[id, callback]: Parameters<session.MemoryStore['get']>): void {
    if (this.broken) callback(new Error('the store is away'));
    else super.get(id, callback);
  }

  override destroy(...[id, callback]: Parameters<session.MemoryStore['destroy']>): void {
    this.ids.delete(id);
    super.destroy(id, callback);
  }
}

export const fastifyHost: SessionHost = {
  name: '@fastify/session on Fastify',
  async start(clock) {
    const guard = sessionGuard(read, clock);
    const removed: string[] = [];
    const store = new CountedStore();
    const app = Fastify();
    await app.register(cookie);
    await app.register(session, {
      secret: SECRET,
      store,
      rolling: true,
      saveUninitialized: false,
      cookie: { secure: false, maxAge: 3_600_000 },
    });
    await app.register(websocket);
    await app.register(sallyport, { guard });
    app.post<{ Querystring: { user: string } }>('/login', async (request, reply) => {
      await request.session.regenerate();
      request.session.user = request.query.user;
      request.session.since = seconds(clock);
      return reply.code(204).send();
    });
    app.post('/logout', async (request, reply) => {
      await request.session.destroy();
      return reply.code(204).send();
    });
    app.get('/chat', { websocket: true }, (socket) => chat(connectionOf(socket, guard), removed));
    await app.ready();
    return {
      server: app.server,
      guard,
      removed,
      stored: () => store.ids.size,
      breakStore() {
        store.broken = true;
      },
    };
  },
};
