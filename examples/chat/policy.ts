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

/** The policy of the chat, the same on Fastify, Express, Koa and plain ws. */
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
    // Without `origins` and `hosts`, only the page's own origin may connect, and only under a loopback name.
    auth: [session, token, ticket],
    // A logout revokes the session on every node. This check holds even if the store can keep no more revocations.
    authorize: ({ identity }) => !sessions.hasEnded(identity.session),
    messages: {
      // Both are sanitized: handlers get no invisible characters, no text that reads backwards, and no script.
      // Markup is short here, and optional: without a `cost` of its own, `say` would count as ten messages.
      say: { schema: Type.Object({ room: Room, text: Text, html: Type.Optional(Markup) }), cost: 1 },
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
      // Longer than a session.
      revocationRetention: '1d',
    },
    // Nodes with one store share counts, tickets and logouts. While the store is away each node counts for itself, because
    // a working chat matters more than exact caps. Tickets are refused until the store is back.
    ...(store && { store }),
    onStoreFailure: { handshakes: 'local', authFailures: 'local', bans: 'local', connections: 'local' },
    logger: silent ? false : consoleLogger,
    clock,
  });
  const guard = createGuard(policy);
  // Without the cookie: browsers send it with every handshake, so a first message would never be needed.
  const late = guard.extend({ name: 'late', auth: [token, ticket], firstMessage: true });
  return { guard, late };
}

export type ChatGuard = ReturnType<typeof createGuards>['guard'];
export type LateGuard = ReturnType<typeof createGuards>['late'];
export type ChatConnection = ReturnType<ChatGuard['connections']> extends Iterable<infer C> ? C : never;
