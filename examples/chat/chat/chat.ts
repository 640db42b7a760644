import { randomBytes } from 'node:crypto';
import { type Clock, type Duration, systemClock } from '@sallyport/core';
import { type ChatConnection, type ChatGuard, createGuards, type LateGuard } from '../policy.ts';
import { DecisionFeed } from './decision-feed.ts';
import { History } from './history.ts';
import { Nodes } from './nodes.ts';
import type { RemoteMessage } from './remote-message.ts';
import { type Session, Sessions } from './sessions.ts';
import { Tokens } from './tokens.ts';

export interface ChatOptions {
  /** Whether the guard's warnings are kept off the console. Default: `false`. */
  readonly silent?: boolean;
  /** The URL of the Redis that all nodes share. Default: none, for a single process. */
  readonly redis?: string | undefined;
  /** The clock of sessions, tokens and the guard. Default: the system's. */
  readonly clock?: Clock | undefined;
  /** How long the slots of a killed node stay taken. Default: that of the store, 30 s. */
  readonly leaseTtl?: Duration | undefined;
}

/** Milliseconds that a logout waits until the other nodes are told. After that, they are told when Redis is back. */
const LOGOUT_MS = 1_000;

/** The chat behind the guard, for every host. A room is only a label: every connection gets the messages of all rooms. */
export class Chat {
  readonly sessions: Sessions;
  readonly tokens: Tokens;
  readonly guard: ChatGuard;
  /** The guard of clients that authenticate by a first message. */
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
    nodes?.listen((message) => void this.#broadcast(message).catch(() => {}));
  }

  /** @throws NoRedisError if the Redis that is named cannot be reached. */
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

  /** Serves a connection that the guard has admitted. Only messages that passed the policy arrive here. */
  join(connection: ChatConnection): void {
    const user = connection.identity.subject;
    connection.on('say', async ({ room, text, html }) => {
      const formatted = html === undefined || html === '' ? {} : { html };
      const message = { room, user, text, ...formatted, at: this.#clock.now() };
      this.#nodes?.publish(message);
      await this.#broadcast(message);
    });
    connection.on('search', 'found', async ({ query }) => ({ messages: await this.#history.search(query) }));
    connection.send('welcome', { user });
  }

  /** Issues a ticket that opens `/chat` once, within 30 s, from a page of this origin. Rejects while the store is away. */
  issueTicket(session: Session, origin: string): Promise<string> {
    const { user, id } = session;
    const expiresAt = this.tokens.endOf(session);
    return this.guard.tickets.issue({ subject: user, session: id, expiresAt, origin, route: '/chat' });
  }

  /**
   * Ends a session: its cookie, tokens and tickets are refused from now on, and its sockets close, in every tab and on every
   * node. Resolves with whether the other nodes are told; if not, they are told as soon as Redis is back.
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

  /** Sends a message to all connections of this node. */
  async #broadcast(message: RemoteMessage): Promise<void> {
    this.guard.broadcast('said', await this.#history.add(message));
  }
}
