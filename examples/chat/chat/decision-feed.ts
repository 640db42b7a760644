import type { ServerResponse } from 'node:http';
import { type EventName, type GuardEvents, reasons } from '@sallyport/core';
import type { ChatGuard } from '../policy.ts';

/** How many past decisions a new watcher gets. */
const REMEMBERED = 60;
/** How many pages may watch at once. Further ones get 503. */
const WATCHERS = 100;
/** Bytes that may wait for a slow watcher. Beyond, its stream is destroyed. */
const BACKLOG = 65_536;

const SHOWN = [
  'handshake.admitted',
  'handshake.denied',
  'connection.opened',
  'connection.closed',
  'message.denied',
  'fault',
] as const;
type Shown = (typeof SHOWN)[number] & EventName;

/**
 * The guard's decisions as server-sent events, for visitors of the demo. A real service shows them to its operators only,
 * because they tell an attacker what to change.
 */
export class DecisionFeed {
  readonly #recent: string[] = [];
  readonly #watchers = new Set<ServerResponse>();
  #count = 0;

  constructor(guard: ChatGuard) {
    for (const name of SHOWN) guard.on(name, (event) => this.#publish(name, event));
  }

  /** Answers with the recent decisions, and then with each new one. */
  stream(response: ServerResponse): void {
    if (this.#watchers.size >= WATCHERS) {
      response.writeHead(503, { 'Retry-After': '10' }).end();
      return;
    }
    response.writeHead(200, {
      'Content-Type': 'text/event-stream',
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
    });
    response.write(`retry: 1000\n\n${this.#recent.join('')}`);
    this.#watchers.add(response);
    response.on('close', () => this.#watchers.delete(response));
    response.on('error', () => response.destroy());
  }

  close(): void {
    for (const watcher of this.#watchers) watcher.end();
  }

  #publish(name: Shown, event: GuardEvents[Shown]): void {
    const entry = `id: ${++this.#count}\ndata: ${JSON.stringify(shown(name, event, this.#count))}\n\n`;
    this.#recent.push(entry);
    if (this.#recent.length > REMEMBERED) this.#recent.shift();
    for (const watcher of this.#watchers) {
      if (watcher.writableLength > BACKLOG) watcher.destroy();
      else watcher.write(entry);
    }
  }
}

/** The fields of an event that the page shows. They include no address and no credential. */
function shown(name: Shown, event: GuardEvents[Shown], id: number): object {
  const facts: Partial<Omit<GuardEvents['handshake.denied'] & GuardEvents['message.denied'], 'code'>> & {
    readonly code?: number;
    readonly scheme?: string;
  } = name === 'fault' ? { at: event.at } : (event as GuardEvents['connection.closed']);
  const { at, reason, stage, detail, subject, origin, path, pointer, scheme, code } = facts;
  const entry = reason === undefined ? undefined : reasons[reason];
  const handshake = name === 'handshake.denied';
  return {
    id,
    event: name,
    at,
    reason: name === 'fault' ? 'internal' : reason,
    stage,
    detail,
    subject,
    origin,
    path,
    pointer,
    scheme,
    status: handshake ? entry?.http : undefined,
    code: code ?? (name === 'message.denied' ? entry?.close : undefined),
  };
}
