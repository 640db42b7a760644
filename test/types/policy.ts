import {
  anonymous,
  bearer,
  type Connection,
  cookie,
  createGuard,
  custom,
  definePolicy,
  type Guard,
  jwt,
  passthrough,
  Type,
} from '@sallyport/core';
import type { Admission } from '@sallyport/core/host';
import { type } from 'arktype';
import * as v from 'valibot';
import { z } from 'zod';

const token = jwt({
  from: [bearer()],
  secret: 's'.repeat(32),
  algorithms: ['HS256'],
  issuer: 'i',
  audience: 'a',
});
const session = custom({
  scheme: 'session',
  from: [cookie('session')],
  authenticate: () => ({ subject: 'alice', claims: { admin: true } }),
});
const say = Type.Object({ room: Type.String(), text: Type.String() });
const remove = Type.Object({ id: Type.Number() });
const said = Type.Object({ by: Type.String(), at: Type.Optional(Type.Number()) });

const policy = definePolicy({
  origins: ['https://app.example.com'],
  auth: [token, session, anonymous()],
  authorize: ({ identity, request }) => {
    const path: string = request.path;
    return identity.scheme !== 'anonymous' || path === '/public';
  },
  messages: {
    say: { schema: say, authorize: 'any' },
    remove: {
      schema: remove,
      authorize: ({ identity, message }) => {
        const id: number = message.id;
        // @ts-expect-error: not a field of this message
        message.room;
        return identity.scheme === 'session' && identity.claims.admin && id > 0;
      },
    },
    plain: Type.Object({ list: Type.Array(Type.String()) }),
  },
  replies: { said },
  limits: { messages: '20/s', message: '16KiB', handshakeTimeout: '5s' },
});
export const guard = createGuard(policy);

export function early(admission: Admission): string {
  // @ts-expect-error: with a first message, the identity may be unknown here
  return admission.identity.subject;
}

export function useConnection(admission: Admission, socket: never): void {
  // @ts-expect-error: the admission of any guard has no known messages
  admission.open(socket, (connection) => void connection.on('say', () => undefined));
}

export function messages(connection: ConnectionOf<typeof guard>): void {
  connection.on('say', ({ room, text }) => {
    const both: string = room + text;
    return both;
  });
  connection.on('remove', ({ id }) => {
    const number: number = id;
    return number;
  });
  connection.on('plain', ({ list }) => list.map((entry) => entry.length));
  connection.on('say', async (_message, self) => self.send('said', { by: 'alice' }));
  // @ts-expect-error: there is no such message
  connection.on('sya', () => undefined);
  // @ts-expect-error: a reply is no message
  connection.on('said', () => undefined);
  // @ts-expect-error: the message has no such field
  connection.on('say', ({ rooom }) => rooom);
  // @ts-expect-error: the field is a number
  connection.on('remove', ({ id }) => id.length);
}

export function replies(connection: ConnectionOf<typeof guard>): void {
  connection.send('said', { by: 'alice' });
  connection.send('said', { by: 'alice', at: 7 });
  // @ts-expect-error: there is no such reply
  connection.send('sayd', { by: 'alice' });
  // @ts-expect-error: a message is no reply
  connection.send('say', { room: 'r', text: 't' });
  // @ts-expect-error: a field is missing
  connection.send('said', {});
  // @ts-expect-error: the field is a text
  connection.send('said', { by: 7 });
  // @ts-expect-error: the reply has no such field
  connection.send('said', { by: 'alice', room: 'r' });
}

export function answers(connection: ConnectionOf<typeof guard>): void {
  connection.on('say', 'said', ({ room }) => ({ by: room }));
  connection.on('plain', 'said', async ({ list }) => ({ by: String(list.length) }));
  // @ts-expect-error: a field of the reply is missing
  connection.on('remove', 'said', () => ({}));
  // @ts-expect-error: the field is a text
  connection.on('remove', 'said', async () => ({ by: 7 }));
  // @ts-expect-error: there is no such reply
  connection.on('remove', 'sayd', () => ({ by: 'alice' }));
  // @ts-expect-error: what the handler gets is a number
  connection.on('remove', 'said', ({ id }) => ({ by: id }));
}

export function broadcasts(): number {
  // @ts-expect-error: there is no such reply
  guard.broadcast('sayd', { by: 'alice' });
  // @ts-expect-error: the field is a text
  guard.broadcast('said', { by: 7 });
  return guard.broadcast('said', { by: 'alice' }, ({ identity }) => identity.scheme === 'jwt');
}

/** Schemas of other libraries, and plain JSON Schema, whose types the compiler infers if it is declared `as const`. */
export const foreign = createGuard({
  auth: [token],
  messages: {
    zod: {
      schema: z.object({ n: z.string().transform(Number) }),
      authorize: ({ message, connection }) => {
        const n: number = message.n;
        const path: string = connection.path;
        return n > 0 && path !== '';
      },
    },
    valibot: v.object({ text: v.string() }),
    arktype: type({ flag: 'boolean' }),
    json: { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] } as const,
    unsafe: Type.Unsafe<{ a: string }>({ type: 'object', properties: { a: { type: 'string' } } }),
  },
  replies: { done: z.object({ at: z.number() }) },
});
export function foreignMessages(connection: ConnectionOf<typeof foreign>): void {
  connection.on('zod', ({ n }) => n.toFixed());
  connection.on('valibot', ({ text }) => text.length);
  // @ts-expect-error: the message has no such field
  connection.on('arktype', ({ flog }) => flog);
  connection.on('unsafe', ({ a }) => a.length);
  connection.on('json', ({ a }) => a.length);
  // @ts-expect-error: the field is a text
  connection.on('json', ({ a }) => a.toFixed());
  connection.send('done', { at: 1 });
  // @ts-expect-error: the field is a number
  connection.send('done', { at: 'now' });
}

export function identity({ identity }: ConnectionOf<typeof guard>): string {
  const scheme: 'jwt' | 'session' | 'anonymous' = identity.scheme;
  if (identity.scheme === 'session') {
    const admin: boolean = identity.claims.admin;
    return String(admin);
  }
  if (identity.scheme === 'jwt') {
    const issuer: string | undefined = identity.claims.iss;
    return issuer ?? '';
  }
  // @ts-expect-error: this scheme has no such claim
  const claimed: boolean = identity.claims.admin;
  // @ts-expect-error: no authenticator of the policy has this scheme
  if (identity.scheme === 'basic') return '';
  // @ts-expect-error: an identity is read-only
  identity.subject = 'bob';
  return identity.subject + scheme + claimed;
}

/** Types are also inferred from options in place, without `definePolicy`. */
export const inPlace = createGuard({
  auth: [custom({ scheme: 'key', from: [bearer()], authenticate: async () => ({ subject: 'svc' }) })],
  authorize: ({ identity }) => {
    const key: 'key' = identity.scheme;
    return key === 'key';
  },
  messages: { ping: Type.Object({}) },
});
export function withoutReplies(connection: ConnectionOf<typeof inPlace>): void {
  connection.on('ping', () => undefined);
  // Without `replies` any object may be sent.
  connection.send('whatever', { a: 1 });
  // @ts-expect-error: a reply is an object
  connection.send('whatever', 'text');
}

export const admin = guard.extend({
  auth: [session],
  messages: { ban: Type.Object({ user: Type.String() }) },
  authorize: ({ identity }) => identity.claims.admin,
});
export function extended(connection: ConnectionOf<typeof admin>): void {
  connection.on('ban', ({ user }) => user.length);
  // @ts-expect-error: the route has messages of its own
  connection.on('say', () => undefined);
  // The replies are inherited.
  connection.send('said', { by: 'alice' });
  const scheme: 'session' = connection.identity.scheme;
  scheme.length;
}

export const renamed = guard.extend({ name: 'other' });
export function inherited(connection: ConnectionOf<typeof renamed>): void {
  connection.on('say', ({ room }) => room.length);
  // @ts-expect-error: there is no such message
  connection.on('sya', () => undefined);
}

export const opaque = createGuard({ auth: [anonymous()], messages: passthrough({ text: true }) });

export const refused = [
  // @ts-expect-error: auth is missing
  () => createGuard({ messages: { say } }),
  // @ts-expect-error: messages are missing
  () => createGuard({ auth: [anonymous()] }),
  // @ts-expect-error: an unknown option
  () => createGuard({ auth: [anonymous()], messages: { say }, origin: ['https://app.example.com'] }),
  // @ts-expect-error: an unknown limit
  () => createGuard({ auth: [anonymous()], messages: { say }, limits: { mesages: '20/s' } }),
  // @ts-expect-error: a rate without a unit
  () => createGuard({ auth: [anonymous()], messages: { say }, limits: { messages: '20' } }),
  // @ts-expect-error: an unknown unit of size
  () => createGuard({ auth: [anonymous()], messages: { say }, limits: { message: '16KB' } }),
  // @ts-expect-error: only named stages can report
  () => createGuard({ auth: [anonymous()], messages: { say }, report: ['authentication'] }),
  // @ts-expect-error: an authenticator is an object, not a name
  () => createGuard({ auth: ['jwt'], messages: { say } }),
  // @ts-expect-error: authorize returns a boolean
  () => createGuard({ auth: [anonymous()], messages: { say }, authorize: () => 'yes' }),
  // @ts-expect-error: hosts are an option of the whole server
  () => guard.extend({ hosts: ['chat.example.com'] }),
  // @ts-expect-error: connections are a limit of the whole server
  () => guard.extend({ limits: { connections: 5 } }),
  // @ts-expect-error: a key of the wrong kind
  () => jwt({ from: [bearer()], secret: 7, algorithms: ['HS256'], issuer: 'i', audience: 'a' }),
  // @ts-expect-error: the issuer is missing
  () => jwt({ from: [bearer()], secret: 's', algorithms: ['HS256'], audience: 'a' }),
];

/** The connection that a guard's admissions open. */
type ConnectionOf<G> = G extends Guard<infer I, infer M, infer R> ? Connection<I[number], M, R> : never;
