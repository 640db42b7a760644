import { type ChatConnection, type ChatGuard, createChatGuard } from '../policy.ts';
import { DecisionFeed } from './feed.ts';
import { History } from './history.ts';
import { type Session, Sessions } from './sessions.ts';
import { Tokens } from './tokens.ts';

export interface ChatOptions {
  /** Keeps the guard's warnings off the console. */
  readonly silent?: boolean;
}

/** The chat behind the guard, whichever host serves it. A room is a label: everybody reads all of them. */
export class Chat {
  readonly sessions = new Sessions();
  readonly tokens = new Tokens();
  readonly guard: ChatGuard;
  readonly feed: DecisionFeed;
  readonly #history: History;

  private constructor(history: History, { silent = false }: ChatOptions) {
    this.#history = history;
    this.guard = createChatGuard(this.sessions, this.tokens.secret, { silent });
    this.feed = new DecisionFeed(this.guard);
  }

  static async open(options: ChatOptions = {}): Promise<Chat> {
    return new Chat(await History.open(), options);
  }

  /** Serves a connection that the guard has let in; only what passed the policy arrives here. */
  join(connection: ChatConnection): void {
    const user = connection.identity.subject;
    connection.on('say', async ({ room, text }) => {
      const said = await this.#history.add({ room, user, text, at: Date.now() });
      for (const everybody of this.guard.connections()) everybody.send('said', said);
    });
    connection.on('search', async ({ query }) => {
      connection.send('found', { messages: await this.#history.search(query) });
    });
    connection.send('welcome', { user });
  }

  /** Ends a session: its cookie and its tokens open nothing any more, and its sockets close. */
  leave(session: Session): void {
    this.sessions.end(session);
    for (const connection of this.guard.connections()) {
      if (connection.identity.session === session.id) connection.close(4401, 'You have logged out.');
    }
  }

  async close(): Promise<void> {
    this.feed.close();
    await this.guard.close({ within: '2s' });
    await this.#history.close();
  }
}
