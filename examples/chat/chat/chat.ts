import { randomBytes } from 'node:crypto';
import { type Clock, type Duration, systemClock } from '@sallyport/core';
import { type ChatConnection, type ChatGuard, createGuards, type LateGuard } from '../policy.ts';
import type { SaidElsewhere } from './elsewhere.ts';
import { DecisionFeed } from './feed.ts';
import { History } from './history.ts';
import { Nodes } from './nodes.ts';
import { type Session, Sessions } from './sessions.ts';
import { Tokens } from './tokens.ts';

export interface ChatOptions {
  /** Keeps warnings off the console. */
  readonly silent?: boolean;
  /** The URL of the Redis that all nodes share. Default: none, and this process is alone. */
  readonly redis?: string | undefined;
  /** Default: the machine's time. */
  readonly clock?: Clock | undefined;
  /** How long the slots of a node that was killed stay taken. Default: that of the store, 30 s. */
  readonly leaseTtl?: Duration | undefined;
}

/** How long a logout waits for the other nodes to be told. Beyond, they are told when Redis is back. */
const LOGOUT_MS = 1_000;

/** The chat behind the guard, whichever host serves it. A room is a label: everybody reads all of them. */
export class Chat {
  readonly sessions: Sessions;
  readonly tokens: Tokens;
  readonly guard: ChatGuard;
  /** For who authenticates by the first message. */
  readonly late: LateGuard;
  readonly feed: DecisionFeed;
  readonly #history: History;
  readonly #nodes: Nodes | undefined;
  readonly #clock: Clock;

  private constructor(
    history: History,
    nodes: Nodes | undefined,
    { silent = false, clock = systemClock }: ChatOptions,
  ) {
    const now = (): number => clock.now();
    const key = nodes?.key ?? randomBytes(32);
    this.#history = history;
    this.#nodes = nodes;
    this.#clock = clock;
    this.sessions = new Sessions(key, now);
    this.tokens = new Tokens(key, now);
    const { guard, late } = createGuards(this.sessions, key, { store: nodes?.store, silent, clock });
    this.guard = guard;
    this.late = late;
    this.feed = new DecisionFeed(this.guard);
    nodes?.onEnded((session) => this.sessions.end(session));
    nodes?.listen((message) => void this.#tell(message).catch(() => {}));
  }

  /** @throws NoRedisError where a Redis is named and there is none. */
  static async open(options: ChatOptions = {}): Promise<Chat> {
    const { redis, leaseTtl, silent = false } = options;
    const onOtherKey = (): void => {
      if (!silent)
        console.warn('Another node signs with another key. Restart this one, so that both have one.');
    };
    const nodes = redis === undefined ? undefined : await Nodes.join(redis, { leaseTtl, onOtherKey });
    const chat = new Chat(await History.open(), nodes, options);
    try {
      await nodes?.ready();
    } catch (error) {
      await chat.close();
      throw error;
    }
    return chat;
  }

  /** Serves a connection that the guard has let in; only what passed the policy arrives here. */
  join(connection: ChatConnection): void {
    const user = connection.identity.subject;
    connection.on('say', async ({ room, text, html }) => {
      const formatted = html === undefined || html === '' ? {} : { html };
      const message = { room, user, text, ...formatted, at: this.#clock.now() };
      this.#nodes?.say(message);
      await this.#tell(message);
    });
    connection.on('search', 'found', async ({ query }) => ({ messages: await this.#history.search(query) }));
    connection.send('welcome', { user });
  }

  /** A ticket for `/chat`, to be redeemed once within 30 s, by a page of this origin. Rejects while the store is away. */
  issueTicket(session: Session, origin: string): Promise<string> {
    const { user, id } = session;
    const expiresAt = this.tokens.endOf(session);
    return this.guard.tickets.issue({ subject: user, session: id, expiresAt, origin, route: '/chat' });
  }

  /**
   * Ends a session: its cookie, tokens and tickets open nothing any more, and its sockets close, in every tab and on every
   * node. Resolves with whether all nodes can know; where not, they are told as soon as Redis is back.
   */
  async leave(session: Session): Promise<boolean> {
    this.sessions.end(session.id);
    let cancel = (): void => {};
    const late = new Promise<boolean>((resolve) => {
      cancel = this.#clock.schedule(LOGOUT_MS, () => resolve(false));
    });
    const told = this.guard.revoke({ session: session.id }).then(() => true);
    return Promise.race([told, late]).finally(cancel);
  }

  async close(): Promise<void> {
    this.feed.close();
    await this.guard.close({ within: '2s' });
    this.#nodes?.close();
    await this.#history.close();
  }

  /** Everybody who is connected to this node. */
  async #tell(message: SaidElsewhere): Promise<void> {
    this.guard.broadcast('said', await this.#history.add(message));
  }
}
