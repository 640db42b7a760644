import type { Client } from '../../examples/chat/test/support/client.ts';
import { type Attempt, attempt, type ChatNode } from './crowd.ts';

/** Milliseconds between two messages of a client, and between two handshakes of a client. */
const PAUSE = 100;

/** A client that sends a message again and again, and receives it each time. */
export interface Talk {
  readonly heard: number;
  /** The most milliseconds that a message took to come back. */
  readonly slowest: number;
}

/** Makes handshakes and sends messages at every node until it is stopped. */
export class Traffic {
  #going = true;
  #attempts: Attempt[] = [];
  readonly #talks = new Map<Client, { heard: number; slowest: number }>();
  readonly #running: Promise<void>[] = [];

  /** `talkers` are open connections, one for each node. */
  constructor(nodes: readonly ChatNode[], talkers: readonly Client[], tokens: readonly string[]) {
    for (const [i, talker] of talkers.entries()) this.#running.push(this.#talk(talker, `talker ${i}`));
    for (const [i, token] of tokens.entries()) {
      const node = nodes[i % nodes.length] as ChatNode;
      this.#running.push(this.#visit(node, token, i));
    }
  }

  /** The handshakes since `begin()`. */
  get attempts(): readonly Attempt[] {
    return this.#attempts;
  }

  /** What each talker has received since `begin()`. */
  get talks(): readonly Talk[] {
    return [...this.#talks.values()];
  }

  /** Starts counting anew. Handshakes under way are counted when they end. */
  begin(): void {
    this.#attempts = [];
    for (const talk of this.#talks.values()) Object.assign(talk, { heard: 0, slowest: 0 });
  }

  async stop(): Promise<void> {
    this.#going = false;
    await Promise.all(this.#running);
  }

  async #visit(node: ChatNode, token: string, from: number): Promise<void> {
    for (let i = from; this.#going; i += 7) {
      const tried = await attempt(node, token, i);
      this.#attempts.push(tried);
      tried.client?.close();
      await pause();
    }
  }

  async #talk(client: Client, name: string): Promise<void> {
    const talk = { heard: 0, slowest: 0 };
    this.#talks.set(client, talk);
    for (let i = 0; this.#going; i++) {
      const text = `${name}: ${i}`;
      const start = performance.now();
      client.send({ type: 'say', room: 'hall', text });
      while ((await client.next()).text !== text);
      talk.heard++;
      talk.slowest = Math.max(talk.slowest, performance.now() - start);
      await pause();
    }
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, PAUSE));
}
