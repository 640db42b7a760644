import type { IncomingMessage } from 'node:http';
import { type ClientOptions, WebSocket } from 'ws';

export interface Login {
  /** As a `Cookie` header. */
  readonly cookie: string;
  readonly token: string;
}

export async function login(url: string, user: string): Promise<Login> {
  const response = await post(url, '/login', { user });
  const { token } = (await response.json()) as { token: string };
  return { cookie: response.headers.get('set-cookie')?.split(';')[0] ?? '', token };
}

export function post(url: string, path: string, body: unknown, headers: Record<string, string> = {}) {
  return fetch(`${url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

/** The token or ticket that `POST /token` or `POST /ticket` gives to a session. */
export async function ask(url: string, what: 'token' | 'ticket', headers: Record<string, string>) {
  const response = await post(url, `/${what}`, {}, headers);
  const answer = (await response.json()) as { [key in typeof what]?: string };
  const value = answer[what];
  if (value === undefined) throw new Error(`no ${what}: ${response.status}`);
  return value;
}

export interface Message {
  readonly type: string;
  readonly [property: string]: unknown;
}

/** A client of the chat. */
export class Client {
  readonly closed: Promise<{ code: number }>;
  readonly #socket: WebSocket;
  readonly #unread: Message[] = [];
  #waiting: (() => void) | undefined;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer) => {
      this.#unread.push(JSON.parse(data.toString('utf8')) as Message);
      this.#waiting?.();
    });
    this.closed = new Promise((resolve) => socket.on('close', (code) => resolve({ code })));
  }

  /** Resolves with the client, or with the status and reason of a refusal. A URL without a path means `/chat`. */
  static connect(
    url: string,
    options: ClientOptions = {},
    protocols: string[] = [],
  ): Promise<Client | { status: number | undefined; error: string }> {
    const address = url.replace(/^http/, 'ws');
    const path = new URL(url).pathname === '/' ? '/chat' : '';
    const socket = new WebSocket(`${address}${path}`, protocols, options);
    const client = new Client(socket);
    return new Promise((resolve, reject) => {
      socket.on('open', () => resolve(client));
      socket.on('error', reject);
      socket.on('unexpected-response', async (_request, response: IncomingMessage) => {
        let body = '';
        for await (const chunk of response) body += chunk;
        resolve({ status: response.statusCode, error: (JSON.parse(body) as { error: string }).error });
      });
    });
  }

  static async open(url: string, options?: ClientOptions, protocols?: string[]): Promise<Client> {
    const client = await Client.connect(url, options, protocols);
    if (client instanceof Client) return client;
    throw new Error(`refused: ${client.status} ${client.error}`);
  }

  get protocol(): string {
    return this.#socket.protocol;
  }

  send(message: object): void {
    this.#socket.send(JSON.stringify(message));
  }

  /** Resolves with the next message, in the order of arrival. */
  async next(): Promise<Message> {
    while (this.#unread.length === 0) {
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
    return this.#unread.shift() as Message;
  }

  close(): void {
    this.#socket.close();
  }
}
