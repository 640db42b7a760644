import {
  bearer,
  type Clock,
  consoleLogger,
  cookie,
  createGuard,
  custom,
  definePolicy,
  jwt,
  subprotocol,
  Type,
  tickets,
} from '@sallyport/core';
import type { Store } from '@sallyport/core/store';
import { Markup, Room, replies, Text } from './chat/replies.ts';
import type { Sessions } from './chat/sessions.ts';
import { AUDIENCE, ISSUER } from './chat/tokens.ts';

/** The one policy of the chat: the same in front of Fastify, Express, Koa and plain ws. */
export function createGuards(
  sessions: Sessions,
  secret: Uint8Array,
  { store, silent, clock }: { store: Store | undefined; silent: boolean; clock: Clock },
) {
  const session = custom({
    scheme: 'session',
    from: [cookie('session')],
    authenticate: ({ credential }) => sessions.identify(credential),
  });
  const token = jwt({
    secret,
    algorithms: ['HS256'],
    issuer: ISSUER,
    audience: AUDIENCE,
    type: 'JWT',
    from: [bearer(), subprotocol()],
  });
  const ticket = tickets();
  const policy = definePolicy({
    name: 'chat',
    // No `origins` and no `hosts`: the same origin only, and only under a loopback name.
    auth: [session, token, ticket],
    // Logging out revokes, on every node. Here it holds even where no more revocations can be kept.
    authorize: ({ identity }) => !sessions.hasEnded(identity.session),
    messages: {
      // Both are sanitized: what is handed on holds nothing that hides, deceives or runs.
      say: Type.Object({ room: Room, text: Text, html: Type.Optional(Markup) }),
      search: Type.Object({ query: Type.String({ minLength: 1, maxLength: 100 }) }),
    },
    replies,
    renewal: { notice: '30s' },
    limits: {
      message: '16KiB',
      messages: { rate: '20/s', burst: 40 },
      violations: 5,
      handshakes: { rate: '600/m', burst: 300 },
      authFailures: { rate: '200/m', burst: 200 },
      connectionsPerIdentity: 10,
      connectionsPerAddress: 50,
      // Longer than any session lasts.
      revocationRetention: '1d',
    },
    // Nodes with one store share what they count, their tickets, and who has logged out. While it is away each counts by
    // itself, since a chat that goes on is worth more than exact caps; tickets wait for it.
    ...(store && { store }),
    onStoreFailure: { handshakes: 'local', authFailures: 'local', bans: 'local', connections: 'local' },
    logger: silent ? false : consoleLogger,
    clock,
  });
  const guard = createGuard(policy);
  // Not by the cookie: browsers send it along, so that nobody would be asked for a first message.
  const late = guard.extend({ name: 'late', auth: [token, ticket], firstMessage: true });
  return { guard, late };
}

export type ChatGuard = ReturnType<typeof createGuards>['guard'];
export type LateGuard = ReturnType<typeof createGuards>['late'];
export type ChatConnection = ReturnType<ChatGuard['connections']> extends Iterable<infer C> ? C : never;
