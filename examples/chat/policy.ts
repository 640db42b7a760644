import {
  bearer,
  consoleLogger,
  cookie,
  createGuard,
  custom,
  definePolicy,
  jwt,
  subprotocol,
  Type,
} from '@sallyport/core';
import type { Sessions } from './chat/sessions.ts';
import { AUDIENCE, ISSUER } from './chat/tokens.ts';

const Room = Type.String({ minLength: 1, maxLength: 64 });
const Text = Type.String({ minLength: 1, maxLength: 500 });
const Said = Type.Object({
  id: Type.Integer(),
  room: Room,
  user: Type.String(),
  text: Text,
  at: Type.Integer({ description: 'Milliseconds since the epoch.' }),
});

export type SaidMessage = Type.Static<typeof Said>;

/** The one policy of the chat: the same in front of Fastify, Express, Koa and plain ws. */
export function createChatGuard(sessions: Sessions, secret: Uint8Array, { silent = false } = {}) {
  const policy = definePolicy({
    name: 'chat',
    // No `origins` and no `hosts`: the same origin only, and only under a loopback name.
    auth: [
      custom({
        scheme: 'session',
        from: [cookie('session')],
        authenticate: ({ credential }) => sessions.identify(credential),
      }),
      jwt({
        secret,
        algorithms: ['HS256'],
        issuer: ISSUER,
        audience: AUDIENCE,
        type: 'JWT',
        from: [bearer(), subprotocol()],
      }),
    ],
    // A token is as good as the session that it was issued to: it ends with the logout.
    authorize: ({ identity }) => sessions.isOpen(identity.session),
    messages: {
      say: Type.Object({ room: Room, text: Text }),
      search: Type.Object({ query: Type.String({ minLength: 1, maxLength: 100 }) }),
    },
    replies: {
      welcome: Type.Object({ user: Type.String() }),
      said: Said,
      found: Type.Object({ messages: Type.Array(Said, { maxItems: 50 }) }),
    },
    limits: {
      message: '16KiB',
      messages: { rate: '20/s', burst: 40 },
      violations: 5,
      handshakes: { rate: '600/m', burst: 300 },
      connectionsPerIdentity: 10,
      connectionsPerAddress: 50,
    },
    logger: silent ? false : consoleLogger,
  });
  return createGuard(policy);
}

export type ChatGuard = ReturnType<typeof createChatGuard>;
export type ChatConnection = ReturnType<ChatGuard['connections']> extends Iterable<infer C> ? C : never;
