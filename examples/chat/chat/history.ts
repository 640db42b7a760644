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
 * What has been said, in an SQLite file that is gone when the demo ends. Text reaches the database as parameters
 * only, so that it is never read as SQL, and is found by comparison with `instr`, which knows no wildcards.
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
    // It need not survive a power cut, so no write waits for the disk.
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

  /** The newest messages that contain the words, in the order in which they were said. */
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

/** SQLite's own `lower()` knows ASCII only, and stops at a NUL. */
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
