import { createServer } from 'node:http';
import { upgrade, websocket } from '@sallyport/express';
import express from 'express';
import passport from 'passport';
import { Strategy } from 'passport-local';
import { sessions } from './express.ts';
import { chat, type ReadSession, type SessionHost, seconds, sessionGuard } from './host.ts';

declare global {
  namespace Express {
    interface User {
      readonly name: string;
      readonly since: number;
    }
  }
}

/** passport sets `request.user` from its own key in the session, which a logout removes. */
const read: ReadSession = ({ native }) => {
  const { user, sessionID, sessionStore } = native as express.Request;
  if (user === undefined) return undefined;
  const stillValid = (): Promise<boolean> =>
    new Promise((resolve, reject) =>
      sessionStore.get(sessionID, (error, now) => {
        const kept = now as { passport?: { user?: { name?: string } } } | null | undefined;
        if (error) reject(error);
        else resolve(kept?.passport?.user?.name === user.name);
      }),
    );
  return {
    subject: user.name,
    session: sessionID,
    issuedAt: user.since,
    claims: { role: 'user' },
    stillValid,
  };
};

export const passportHost: SessionHost = {
  name: 'passport on Express 5',
  start(clock) {
    const guard = sessionGuard(read, clock);
    const { middleware, ...store } = sessions();
    const removed: string[] = [];
    const users = new passport.Passport();
    users.use(
      new Strategy({ usernameField: 'user', passwordField: 'password' }, (name, password, done) =>
        done(null, password === `${name}'s password` && { name, since: seconds(clock) }),
      ),
    );
    users.serializeUser((user, done) => done(null, user));
    users.deserializeUser<Express.User>((user, done) => done(null, user));
    const app = express();
    app.use(middleware, users.initialize(), users.session());
    app.post(
      '/login',
      (request, _response, next) => {
        request.body = { user: request.query.user, password: `${request.query.user}'s password` };
        next();
      },
      users.authenticate('local'),
      (_request, response) => void response.sendStatus(204),
    );
    app.post('/logout', (request, response, next) => {
      request.logout((error) => (error ? next(error) : response.sendStatus(204)));
    });
    app.get(
      '/chat',
      websocket(guard, (connection) => chat(connection, removed)),
    );
    const server = createServer(app);
    upgrade(server, app, guard);
    return { server, guard, removed, ...store };
  },
};
