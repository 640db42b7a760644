import type { Client } from '../../examples/chat/test/support/client.ts';
import { type Attempt, attempt, type ChatNode } from './crowd.ts';

/** Milliseconds between two messages of one talker, and between two handshakes of one visitor. */
const PAUSE = 100;

/** Somebody who says something over and over, and hears it each time. */
export interface Talk {
  readonly heard: number;
  /** Milliseconds that one message took to come back, at most. */
  readonly slowest: number;
}

/** Handshakes and messages at every node, until it is told to stop. */
export class Traffic {
  #going = true;
  #attempts: Attempt[] = [];
  readonly #talks = new Map<Client, { heard: number; slowest: number }>();
  readonly #running: Promise<void>[] = [];

  /** `talkers` are in already, one for each node. */
  constructor(nodes: readonly ChatNode[], talkers: readonly Client[], tokens: readonly string[]) {
    for (const [i, talker] of talkers.entries()) this.#running.push(this.#talk(talker, `talker ${i}`));
    for (const [i, token] of tokens.entries()) {
      const node = nodes[i % nodes.length] as ChatNode;
      this.#running.push(this.#visit(node, token, i));
    }
  }

  /** The handshakes since it began. */
  get attempts(): readonly Attempt[] {
    return this.#attempts;
  }

  /** What each talker has heard since it began. */
  get talks(): readonly Talk[] {
    return [...this.#talks.values()];
  }

  /** Counts from now on. What is under way began before, and is counted when it ends. */
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
