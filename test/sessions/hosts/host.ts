import type { Server } from 'node:http';
import {
  type CustomIdentity,
  createGuard,
  custom,
  type PolicyOptions,
  type RequestView,
  Type,
} from '@sallyport/core';
import type { ManualClock } from '../../../packages/core/test/support/manual-clock.ts';

export const APP = 'https://app.example.com';
export const SECRET = 'what the session cookies of the tests are signed with';

/** The session of the application. */
export interface Kept {
  user?: string;
  /** When the user logged in, in seconds since the epoch. */
  since?: number;
}

/** How to find the user of a session, and how to check it again. */
export type ReadSession = (request: RequestView) => CustomIdentity<{ readonly role: string }> | undefined;

const messages = {
  say: Type.Object({ text: Type.String() }),
  remove: { schema: Type.Object({ id: Type.String() }), recheck: true },
};

/** A guard that accepts only sessions, and checks each of them every 30 seconds. */
export function sessionGuard(
  read: ReadSession,
  clock: ManualClock,
  more: Partial<Pick<PolicyOptions<never, never, never>, 'csrf' | 'origins'>> = {},
) {
  return createGuard({
    origins: [APP],
    hosts: ['localhost'],
    clock,
    logger: false,
    auth: [
      custom({
        scheme: 'session',
        recheckEvery: '30s',
        authenticate: ({ request }) => read(request),
      }),
    ],
    messages,
    ...more,
  });
}

type SessionGuard = ReturnType<typeof sessionGuard>;
type Chat = SessionGuard extends { connections(): Iterable<infer C> } ? C : never;

/** The handler of `/chat` on every host. */
export function chat(connection: Chat, removed: string[]): void {
  connection.on(
    'say',
    ({ text }) => void connection.send('said', { text, user: connection.identity.subject }),
  );
  connection.on('remove', ({ id }) => {
    removed.push(id);
    connection.send('removed', { id });
  });
}

/** An application with `POST /login`, `POST /logout` and a WebSocket `/chat`, on sessions of the host's own library. */
interface SessionApplication {
  readonly server: Server;
  readonly guard: SessionGuard;
  /** The arguments of the handlers of `remove`. */
  readonly removed: readonly string[];
  /** How many sessions the library's store holds. */
  stored(): number | Promise<number>;
  /** From now on every lookup in the library's store fails. */
  breakStore(): void;
}

export interface SessionHost {
  readonly name: string;
  start(clock: ManualClock): SessionApplication | Promise<SessionApplication>;
}

/** The current time in seconds, the unit of `issuedAt`. */
export function seconds(clock: ManualClock): number {
  return Math.floor(clock.now() / 1_000);
}
