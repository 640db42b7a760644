import type { HostName } from '../../examples/chat/server/arguments.ts';
import { Client, login } from '../../examples/chat/test/support/client.ts';
import { NodeProcess } from '../support/node-process.ts';
import type { RedisServer } from '../support/redis.ts';

/** Milliseconds for which a node that was killed keeps its slots. */
export const LEASE = 3_000;

/** A node of the chat, as a client sees it. */
export class ChatNode {
  /** By address: what many clients use has no name to be looked up. */
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
  /** Who is in now, until `client.close()`. */
  readonly client: Client | undefined;
  /** `admitted`, or the status and the reason. */
  readonly outcome: string;
  readonly ms: number;
}

/** One handshake, by a token and from an address of loopback that is one of many. */
export async function attempt(node: ChatNode, token: string, from = 0): Promise<Attempt> {
  const start = performance.now();
  const answer = await Client.connect(node.address, {
    headers: { authorization: `Bearer ${token}` },
    // All of 127.0.0.0/8 is this machine; the chat's limits on one address are not what is tried here.
    localAddress: `127.0.${1 + (from % 100)}.1`,
  });
  const ms = performance.now() - start;
  if (answer instanceof Client) return { client: answer, outcome: 'admitted', ms };
  return { client: undefined, outcome: `${answer.status} ${answer.error}`, ms };
}

export async function tokenOf(node: ChatNode, user: string): Promise<string> {
  return (await login(node.url, user)).token;
}

/** Does something so many times, some at a time. */
export async function crowd(count: number, width: number, work: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: width }, worker));
}

/** How often each was seen. */
export function counted(values: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}
