import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { WebSocketServer } from 'ws';
import { StandInSocket } from './stand-in-socket.ts';
import type { Upgrade } from './upgrade.ts';

const responses = new WeakMap<IncomingMessage, UpgradeResponse>();

/** The response that an application was given for an upgrade request. */
export function responseTo(request: IncomingMessage): UpgradeResponse | undefined {
  return responses.get(request);
}

/**
 * Lets an application answer an upgrade with status 101 through its own means, which `send` calls, so that its hooks run as
 * for any response. Resolves when the application has sent its headers or a refusal, or the client has left; at once for
 * a request that was not sent through the application.
 */
export function answerWith101(request: IncomingMessage, send: () => void): Promise<void> {
  return responseTo(request)?.answerWith101(send) ?? Promise.resolve();
}

/**
 * The response that an application writes to for an upgrade request. A refusal (status 400 and above, except 404) is sent as
 * it is; any other status says that there is no WebSocket route, and is not sent. It wraps a `ServerResponse` and overrides
 * its methods: a subclass would not do, because Express gives every response another prototype.
 */
export class UpgradeResponse {
  readonly response: ServerResponse;
  /** Whether the response ends with status 101 when the socket is accepted. Otherwise it is only detached. */
  endsOnAccept = false;
  /** Fulfilled when the application's function has returned, and with it a whole chain of middleware. */
  returned: Promise<unknown> = Promise.resolve();
  /** Called when the application sends the headers of its own 101. */
  #onSwitching: (() => void) | undefined;
  readonly #socket: StandInSocket;

  constructor(
    readonly upgrade: Upgrade,
    /** Called at most once, for a status that is no refusal. Nothing of that response is sent. */
    notAWebSocket: (status: number) => void,
  ) {
    const response = new ServerResponse(upgrade.request);
    const socket = new StandInSocket(upgrade);
    response.shouldKeepAlive = false;
    // Writes after the response is detached fail, which does no harm.
    response.on('error', ignore);
    response.on('finish', () => socket.end());
    response.writeHead = ((...args: [number]) => {
      const [status] = args;
      if (status === 101 && this.#onSwitching !== undefined) return this.#switch(args);
      if (socket.undecided && (status < 400 || status === 404)) {
        socket.detach();
        if (!upgrade.done) notAWebSocket(status);
      } else if (socket.undecided) {
        response.setHeader('Connection', 'close');
        socket.forward();
      }
      return ServerResponse.prototype.writeHead.apply(response, args);
    }) as ServerResponse['writeHead'];
    socket.on('drain', () => response.emit('drain'));
    response.assignSocket(socket as unknown as Socket);
    this.response = response;
    this.#socket = socket;
    responses.set(upgrade.request, this);
  }

  /** Discards what the application writes from now on. Streams piped into the response see its `close`. */
  detach(): void {
    this.#socket.detach();
  }

  answerWith101(send: () => void): Promise<void> {
    return new Promise((resolve) => {
      this.#onSwitching = resolve;
      this.#socket.once('close', resolve);
      this.#socket.once('forward', resolve);
      send();
    });
  }

  /** Keeps the cookies of the application's own 101. It is not sent and does not end, because ws sends the real one. */
  #switch(args: readonly unknown[]): ServerResponse {
    const { response } = this;
    const cookies = Object.entries(args.at(-1) as object).find(
      ([name]) => name.toLowerCase() === 'set-cookie',
    );
    if (cookies !== undefined) response.setHeader('Set-Cookie', cookies[1] as string[]);
    response.end = () => response;
    this.#socket.discard();
    this.#onSwitching?.();
    return response;
  }

  /** Called when ws is about to send the 101: returns the cookies that the application has set. */
  switching(): readonly string[] {
    this.#socket.discard();
    if (this.endsOnAccept) this.response.writeHead(101);
    return [this.response.getHeader('set-cookie') ?? []].flat().map(String);
  }

  /** Called when ws sends the 101: ends or detaches the response. */
  accepted(): void {
    if (!this.endsOnAccept) {
      this.detach();
      return;
    }
    // A listener rather than the callback of `end`: middleware replaces `end` with functions that ignore a callback.
    this.response.once('finish', () => this.detach());
    this.response.end();
  }
}

const sendingCookies = new WeakSet<WebSocketServer>();

/** Adds the application's cookies to the 101, in ws's `headers` event: ws writes the 101 itself. */
export function sendCookies(server: WebSocketServer): void {
  if (sendingCookies.has(server)) return;
  sendingCookies.add(server);
  server.on('headers', (lines, request) => {
    const answer = responseTo(request);
    for (const cookie of answer?.switching() ?? []) lines.push(`Set-Cookie: ${cookie}`);
    // Not when the handler is called, which may have to wait for a first message.
    answer?.accepted();
  });
}

function ignore(): void {}
