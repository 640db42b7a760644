import { createServer } from 'node:http';
import Router from '@koa/router';
import { connectionOf, guardKoaWebsocket, refuseUnguarded, upgrade, websocket } from '@sallyport/koa';
import Koa, { type Context } from 'koa';
import { createSession } from 'koa-session';
import websockify from 'koa-websocket';
import type { ManualClock } from '../../../packages/core/test/support/manual-clock.ts';
import {
  chat,
  type Kept,
  type ReadSession,
  SECRET,
  type SessionHost,
  seconds,
  sessionGuard,
} from './host.ts';

type KoaSession = Kept & { readonly externalKey: string; regenerate(): Promise<void> };
type WithSession = { session: KoaSession | null };

/** A store for koa-session, which by default keeps sessions in the cookie. */
class SessionStore {
  readonly kept = new Map<string, string>();
  broken = false;

  async get(id: string): Promise<Kept | undefined> {
    if (this.broken) throw new Error('the store is away');
    return JSON.parse(this.kept.get(id) ?? 'null') ?? undefined;
  }

  async set(id: string, session: Kept): Promise<void> {
    this.kept.set(id, JSON.stringify(session));
  }

  async destroy(id: string): Promise<void> {
    this.kept.delete(id);
  }
}

function reading(store: SessionStore): ReadSession {
  return ({ native }) => {
    const { user, since, externalKey } = (native as WithSession).session ?? {};
    if (user === undefined || externalKey === undefined) return undefined;
    return {
      subject: user,
      session: externalKey,
      issuedAt: since,
      claims: { role: 'user' },
      stillValid: async () => (await store.get(externalKey))?.user === user,
    };
  };
}

/** koa-session with a store, since a session that is kept in its cookie cannot be ended by a logout. */
function sessions(app: Koa) {
  const store = new SessionStore();
  app.keys = [SECRET];
  const middleware = createSession({ store: store as never, rolling: true, maxAge: 3_600_000 }, app);
  const stored = (): number => store.kept.size;
  const breakStore = (): void => {
    store.broken = true;
  };
  return { store, middleware, stored, breakStore };
}

function loginRoutes(router: Router, clock: ManualClock): void {
  router.post('/login', async (ctx) => {
    const { session } = ctx as unknown as { session: KoaSession };
    session.user = String(ctx.query.user);
    session.since = seconds(clock);
    await session.regenerate();
    ctx.status = 204;
  });
  router.post('/logout', (ctx) => {
    (ctx as unknown as WithSession).session = null;
    ctx.status = 204;
  });
}

export const koaHost: SessionHost = {
  name: 'koa-session on Koa',
  start(clock) {
    const app = new Koa();
    const { store, middleware, ...rest } = sessions(app);
    const guard = sessionGuard(reading(store), clock);
    const removed: string[] = [];
    const router = new Router();
    loginRoutes(router, clock);
    router.get(
      '/chat',
      websocket(guard, (connection) => chat(connection, removed)),
    );
    app.use(middleware).use(refuseUnguarded(guard)).use(router.routes());
    const server = createServer(app.callback());
    upgrade(server, app, guard);
    return { server, guard, removed, ...rest };
  },
};

export const koaWebsocketHost: SessionHost = {
  name: 'koa-session on koa-websocket',
  async start(clock) {
    const app = websockify(new Koa());
    const { store, middleware, ...rest } = sessions(app);
    const guard = sessionGuard(reading(store), clock);
    const removed: string[] = [];
    const router = new Router();
    loginRoutes(router, clock);
    app.use(middleware).use(router.routes());
    guardKoaWebsocket(app, guard, { middleware: [middleware] });
    app.ws.use((ctx: Pick<Context, 'path'> & { websocket: unknown }) =>
      chat(connectionOf(ctx.websocket as never, guard), removed),
    );
    const server = app.listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    return { server, guard, removed, ...rest };
  },
};
