import { once } from 'node:events';
import { afterEach } from '@jest/globals';
import type { AnyGuard, Reason } from '@sallyport/core';
import { WebSocket } from 'ws';
import type { ChatHandler, Host, RunningHost } from '../contract/hosts/host.ts';
import { APP, chatGuard, type PolicyOverrides, token } from './chat-policy.ts';
import { eventually } from './eventually.ts';

/** What one end of a connection has sent and received, in order: the kind of each message and its bytes. */
interface Transcript {
  readonly sent: readonly string[];
  readonly received: readonly string[];
}

/** An application that serves a protocol on the sockets that its guard admits. */
interface Served extends RunningHost {
  readonly guard: AnyGuard;
  /** `ws://127.0.0.1:…`, without a path. */
  readonly origin: string;
  /** The server's sockets and their transcripts, in the order of their admission. */
  readonly sockets: readonly WebSocket[];
  readonly transcripts: readonly Transcript[];
  /** How connections ended, in order. */
  readonly closed: readonly { readonly code: number; readonly reason: Reason | undefined }[];
  /** Why handshakes and messages were refused, in order. */
  readonly denied: readonly Reason[];
  /** What the application threw. */
  readonly faults: readonly unknown[];
}

/** Serves protocols behind a guard, and makes sockets for their clients. All end with the test, the latest first. */
export function peers() {
  const endings: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of endings.splice(0).reverse()) await end();
  });
  const ends = <T>(thing: T, end: (thing: T) => unknown): T => {
    endings.push(() => end(thing));
    return thing;
  };

  const serve = async (host: Host, policy: PolicyOverrides, serveSocket: ChatHandler): Promise<Served> => {
    const guard = chatGuard({ hosts: ['127.0.0.1'], ...policy });
    const sockets: WebSocket[] = [];
    const transcripts: Transcript[] = [];
    const closed: { code: number; reason: Reason | undefined }[] = [];
    const denied: Reason[] = [];
    const faults: unknown[] = [];
    for (const event of ['handshake.denied', 'message.denied'] as const)
      guard.on(event, ({ reason }) => denied.push(reason));
    guard.on('fault', ({ error }) => faults.push(error));
    const running = await host.start({
      guard,
      chat: (connection, socket, native) => {
        sockets.push(socket);
        transcripts.push(transcribe(socket));
        connection.onClose((event) => closed.push(event));
        return serveSocket(connection, socket, native);
      },
    });
    ends(running, async ({ close }) => {
      await close();
      await eventually(() => guard.stats().connections === 0, 'the end of every connection');
    });
    const origin = `ws://127.0.0.1:${running.port}`;
    return { ...running, guard, origin, sockets, transcripts, closed, denied, faults };
  };

  /** A WebSocket class for the client of a protocol: it sends these headers, and the test knows its sockets. */
  const socketClass = (headers: Readonly<Record<string, string>>) => {
    const sockets: WebSocket[] = [];
    const transcripts: Transcript[] = [];
    const errors: string[] = [];
    class PeerSocket extends WebSocket {
      constructor(url: string | URL, protocols?: string | string[]) {
        super(url, protocols, { headers });
        sockets.push(this);
        transcripts.push(transcribe(this));
        this.on('error', ({ message }) => errors.push(message));
        this.once('close', (code) => closeCodes.set(this, code));
        ends(this, () => this.terminate());
      }
    }
    return { PeerSocket, sockets, transcripts, errors };
  };

  return { ends, serve, socketClass };
}

/** The transcript of the other end of the connection. */
export function mirrored({ sent, received }: Transcript): Transcript {
  return { sent: received, received: sent };
}

/** Resolves with the close code of the first of a client's sockets. */
export async function closeCode([socket]: readonly WebSocket[]): Promise<number> {
  if (socket === undefined) throw new Error('The client has made no socket.');
  if (!closeCodes.has(socket)) await once(socket, 'close');
  return closeCodes.get(socket) as number;
}

const closeCodes = new WeakMap<WebSocket, number>();

function transcribe(socket: WebSocket): Transcript {
  const sent: string[] = [];
  const received: string[] = [];
  const send = socket.send as (...args: unknown[]) => void;
  socket.send = (...args: unknown[]) => {
    if (socket.readyState === socket.OPEN) sent.push(entry(args[0], typeof args[0] !== 'string'));
    send.apply(socket, args);
  };
  // The ws 7 of express-ws emits text as a string, without a second argument.
  socket.on('message', (data: unknown, isBinary = typeof data !== 'string') =>
    received.push(entry(data, isBinary)),
  );
  return { sent, received };
}

function entry(data: unknown, isBinary: boolean): string {
  return `${isBinary ? 'binary' : 'text'} ${Buffer.from(data as Uint8Array).toString('latin1')}`;
}

/** Handshakes that are refused, and how. */
export const strangers: readonly {
  readonly what: string;
  readonly headers: () => Promise<Record<string, string>>;
  readonly status: number;
  readonly reason: Reason;
}[] = [
  {
    what: 'a foreign page with the cookie',
    headers: async () => ({ Origin: 'https://evil.example', Cookie: `token=${await token()}` }),
    status: 403,
    reason: 'origin_denied',
  },
  {
    what: 'a foreign page with a token',
    headers: async () => ({ Origin: 'https://evil.example', Authorization: `Bearer ${await token()}` }),
    status: 403,
    reason: 'origin_denied',
  },
  {
    what: 'a foreign page without a credential',
    headers: async () => ({ Origin: 'https://evil.example' }),
    status: 403,
    reason: 'origin_denied',
  },
  {
    what: 'our page without a credential',
    headers: async () => ({ Origin: APP }),
    status: 401,
    reason: 'credential_missing',
  },
];
