import { createServer } from 'node:http';
import { refuseUnguarded, upgrade, websocket } from '@sallyport/express';
import express5 from 'express';
import session from 'express-session';
import express4 from 'express4';
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

declare module 'express-session' {
  interface SessionData extends Kept {}
}

/** Asks the store directly, since the connection keeps no request. */
const byStore: ReadSession = ({ native }) => {
  const { session: found, sessionID, sessionStore } = native as express5.Request;
  const { user, since } = found;
  if (user === undefined) return undefined;
  const stillValid = (): Promise<boolean> =>
    new Promise((resolve, reject) =>
      sessionStore.get(sessionID, (error, now) => (error ? reject(error) : resolve(now?.user === user))),
    );
  return { subject: user, session: sessionID, issuedAt: since, claims: { role: 'user' }, stillValid };
};

/** `reload()` fails for a session that is gone, and for a failing store. */
const byReload: ReadSession = (request) => {
  const native = request.native as express5.Request;
  const identity = byStore(request);
  const stillValid = (): Promise<boolean> =>
    new Promise((resolve, reject) =>
      native.session.reload((error?: Error) => {
        if (error === undefined || error === null) resolve(native.session.user === identity?.subject);
        else if (error.message === 'failed to load session') resolve(false);
        else reject(error);
      }),
    );
  return identity && { ...identity, stillValid };
};

/** Session middleware as applications use it. It renews its cookie with each response. */
export function sessions() {
  const store = new session.MemoryStore();
  const middleware = session({
    secret: SECRET,
    store,
    resave: false,
    saveUninitialized: false,
    rolling: true,
    cookie: { sameSite: 'lax', maxAge: 3_600_000 },
  });
  const stored = (): Promise<number> =>
    new Promise((resolve, reject) =>
      store.all((error, all) => (error ? reject(error) : resolve(Object.keys(all ?? {}).length))),
    );
  const breakStore = (): void => {
    store.get = (_id, callback) => callback(new Error('the store is away'));
  };
  return { middleware, stored, breakStore };
}

/** Login gives the session a new id, against session fixation. */
export function loginRoutes(app: Pick<express5.Express, 'post'>, clock: ManualClock): void {
  app.post('/login', (request, response, next) => {
    request.session.regenerate((error) => {
      if (error) return next(error);
      request.session.user = String(request.query.user);
      request.session.since = seconds(clock);
      response.sendStatus(204);
    });
  });
  app.post('/logout', (request, response, next) => {
    request.session.destroy((error) => (error ? next(error) : response.sendStatus(204)));
  });
}

function host(name: string, express: typeof express5, read: ReadSession): SessionHost {
  return {
    name,
    start(clock) {
      const guard = sessionGuard(read, clock);
      const { middleware, ...store } = sessions();
      const removed: string[] = [];
      const app = express();
      app.use(middleware);
      app.use(refuseUnguarded(guard));
      loginRoutes(app, clock);
      app.get(
        '/chat',
        websocket(guard, (connection) => chat(connection, removed)),
      );
      const server = createServer(app);
      upgrade(server, app, guard);
      return { server, guard, removed, ...store };
    },
  };
}

export const expressHosts: readonly SessionHost[] = [
  host('express-session on Express 4', express4 as unknown as typeof express5, byReload),
  host('express-session on Express 5', express5, byStore),
];

export { byStore };
