import type { HostName } from '../../examples/chat/server/arguments.ts';
import { Client, login } from '../../examples/chat/test/support/client.ts';
import { NodeProcess } from '../support/node-process.ts';
import type { RedisServer } from '../support/redis.ts';

/** Milliseconds for which a killed node keeps its slots. */
export const LEASE = 3_000;
/** Milliseconds for the start or the end of all nodes on a busy machine. */
export const START = 120_000;

/** A node of the chat, as a client sees it. */
export class ChatNode {
  /** With an IP address, so that many clients need no name lookup. */
  readonly address: string;

  constructor(readonly process: NodeProcess) {
    this.address = process.line.replace('localhost', '127.0.0.1');
  }

  static async start(host: HostName, redis: RedisServer): Promise<ChatNode> {
    return new ChatNode(await NodeProcess.start('chat-node', host, redis.url, `${LEASE}`));
  }

  get url(): string {
    return this.process.line;
  }

  async connections(): Promise<number> {
    const health = (await (await fetch(`${this.url}/health`)).json()) as { connections: number };
    return health.connections;
  }
}

export interface Attempt {
  /** The admitted client, open until `client.close()`. */
  readonly client: Client | undefined;
  /** `admitted`, or the status and the reason. */
  readonly outcome: string;
  readonly ms: number;
}

/** One handshake with a token, from one of many loopback addresses. */
export async function attempt(node: ChatNode, token: string, from = 0): Promise<Attempt> {
  const start = performance.now();
  const answer = await Client.connect(node.address, {
    headers: { authorization: `Bearer ${token}` },
    // All of 127.0.0.0/8 is this machine. Many addresses keep the chat's limits per address out of these tests.
    localAddress: `127.0.${1 + (from % 100)}.1`,
  });
  const ms = performance.now() - start;
  if (answer instanceof Client) return { client: answer, outcome: 'admitted', ms };
  return { client: undefined, outcome: `${answer.status} ${answer.error}`, ms };
}

export async function tokenOf(node: ChatNode, user: string): Promise<string> {
  return (await login(node.url, user)).token;
}

/** Runs a task `count` times, some of them at once. */
export async function crowd(count: number, width: number, work: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: width }, worker));
}

/** How often each value occurs. */
export function counted(values: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}
