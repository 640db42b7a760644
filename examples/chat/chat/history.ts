import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Client, createClient, type Row } from '@libsql/client';
import type { SaidMessage } from './replies.ts';

/** How many messages are kept. */
const CAPACITY = 10_000;
/** How many messages one search finds at most. */
const FOUND = 50;

/**
 * The messages of the chat, in an SQLite file that is deleted when the demo ends. Texts reach the database as parameters
 * only, so they are never read as SQL. They are searched with `instr`, which has no wildcards.
 */
export class History {
  readonly #client: Client;
  readonly #folder: string;

  private constructor(client: Client, folder: string) {
    this.#client = client;
    this.#folder = folder;
  }

  static async open(): Promise<History> {
    const folder = await mkdtemp(join(tmpdir(), 'sallyport-chat-'));
    const client = createClient({ url: pathToFileURL(join(folder, 'history.db')).href });
    // The history need not survive a power cut, so no write waits for the disk.
    await client.execute('PRAGMA synchronous = OFF');
    await client.execute(
      'CREATE TABLE messages (id INTEGER PRIMARY KEY, room TEXT, user TEXT, text TEXT, html TEXT, folded TEXT, at INTEGER)',
    );
    return new History(client, folder);
  }

  async add(message: Omit<SaidMessage, 'id'>): Promise<SaidMessage> {
    const { room, user, text, html = null, at } = message;
    const { lastInsertRowid } = await this.#client.execute({
      sql: 'INSERT INTO messages (room, user, text, html, folded, at) VALUES (?, ?, ?, ?, ?, ?)',
      args: [room, user, text, html, fold(text), at],
    });
    const id = Number(lastInsertRowid);
    if (id > CAPACITY)
      await this.#client.execute({ sql: 'DELETE FROM messages WHERE id <= ?', args: [id - CAPACITY] });
    return { id, ...message };
  }

  /** The newest messages that contain the query, oldest first. Letter case does not matter. */
  async search(query: string): Promise<SaidMessage[]> {
    const { rows } = await this.#client.execute({
      sql: 'SELECT id, room, user, text, html, at FROM messages WHERE instr(folded, ?) > 0 ORDER BY id DESC LIMIT ?',
      args: [fold(query), FOUND],
    });
    return rows.map(toMessage).reverse();
  }

  async close(): Promise<void> {
    this.#client.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** Text in the form that is searched. SQLite's own `lower()` handles ASCII only, and stops at a NUL. */
function fold(text: string): string {
  return text.toLowerCase();
}

function toMessage({ id, room, user, text, html, at }: Row): SaidMessage {
  const formatted = html === null ? {} : { html: String(html) };
  return {
    id: Number(id),
    room: String(room),
    user: String(user),
    text: String(text),
    ...formatted,
    at: Number(at),
  };
}
