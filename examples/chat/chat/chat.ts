import { type Clock, systemClock } from '@sallyport/core';
import { type ChatConnection, type ChatGuard, createGuards, type LateGuard } from '../policy.ts';
import { DecisionFeed } from './feed.ts';
import { History } from './history.ts';
import { type Session, Sessions } from './sessions.ts';
import { Tokens } from './tokens.ts';

export interface ChatOptions {
  /** Keeps the guard's warnings off the console. */
  readonly silent?: boolean;
  /** Default: the machine's time. */
  readonly clock?: Clock | undefined;
}

/** The chat behind the guard, whichever host serves it. A room is a label: everybody reads all of them. */
export class Chat {
  readonly sessions: Sessions;
  readonly tokens: Tokens;
  readonly guard: ChatGuard;
  /** For who authenticates by the first message. */
  readonly late: LateGuard;
  readonly feed: DecisionFeed;
  readonly #history: History;
  readonly #now: () => number;

  private constructor(history: History, { silent = false, clock = systemClock }: ChatOptions) {
    this.#history = history;
    this.#now = () => clock.now();
    this.sessions = new Sessions(undefined, this.#now);
    this.tokens = new Tokens(this.#now);
    const { guard, late } = createGuards(this.sessions, this.tokens.secret, { silent, clock });
    this.guard = guard;
    this.late = late;
    this.feed = new DecisionFeed(this.guard);
  }

  static async open(options: ChatOptions = {}): Promise<Chat> {
    return new Chat(await History.open(), options);
  }

  /** Serves a connection that the guard has let in; only what passed the policy arrives here. */
  join(connection: ChatConnection): void {
    const user = connection.identity.subject;
    connection.on('say', async ({ room, text, html }) => {
      const formatted = html === undefined || html === '' ? {} : { html };
      const said = await this.#history.add({ room, user, text, ...formatted, at: this.#now() });
      this.guard.broadcast('said', said);
    });
    connection.on('search', 'found', async ({ query }) => ({ messages: await this.#history.search(query) }));
    connection.send('welcome', { user });
  }

  /** A ticket for `/chat`, to be redeemed once within 30 s, by a page of this origin. */
  issueTicket(session: Session, origin: string): Promise<string> {
    const { user, id } = session;
    const expiresAt = this.tokens.endOf(session);
    return this.guard.tickets.issue({ subject: user, session: id, expiresAt, origin, route: '/chat' });
  }

  /** Ends a session: its cookie, tokens and tickets open nothing any more, and its sockets close, in every tab. */
  async leave(session: Session): Promise<void> {
    this.sessions.end(session);
    await this.guard.revoke({ session: session.id });
  }

  async close(): Promise<void> {
    this.feed.close();
    await this.guard.close({ within: '2s' });
    await this.#history.close();
  }
}
