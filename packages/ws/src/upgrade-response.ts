import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { WebSocketServer } from 'ws';
import { endSoon } from './refuse.ts';
import type { Upgrade } from './upgrade.ts';

const responses = new WeakMap<IncomingMessage, UpgradeResponse>();

/** The response that this upgrade's application has in hand. */
export function responseTo(request: IncomingMessage): UpgradeResponse | undefined {
  return responses.get(request);
}

/**
 * Has an application answer an upgrade with 101 by its own means, so that its hooks run as for any response. Resolves
 * when it has, or has refused instead, or the client is gone; at once for a request that has no such response.
 */
export function answerSwitching(request: IncomingMessage, send: () => void): Promise<void> {
  return responseTo(request)?.switchThrough(send) ?? Promise.resolve();
}

/**
 * What an application answers an upgrade with: from status 400 on, 404 excepted, it goes out as it is; anything else
 * says that there is no WebSocket. It is a plain `ServerResponse` with methods of its own, and no subclass, since
 * Express gives every response another prototype.
 */
export class UpgradeResponse {
  readonly response: ServerResponse;
  /** Whether the response counts as answered with 101 once the socket is accepted; else it is only taken away. */
  endsOnAccept = false;
  /** Fulfilled when the application's function has returned, and so all of a chain of middleware has run. */
  returned: Promise<unknown> = Promise.resolve();
  /** Called with the head of the 101 that the application answers by its own means. */
  #onSwitching: (() => void) | undefined;
  readonly #line: Line;

  constructor(
    readonly upgrade: Upgrade,
    /** Called, at most once, for an answer that is no refusal: nothing of it is sent. */
    notAWebSocket: (status: number) => void,
  ) {
    const response = new ServerResponse(upgrade.request);
    const line = new Line(upgrade);
    response.shouldKeepAlive = false;
    // Writes that come after the line was taken away are nobody's problem.
    response.on('error', ignore);
    response.on('finish', () => line.end());
    response.writeHead = ((...args: [number]) => {
      const [status] = args;
      if (status === 101 && this.#onSwitching !== undefined) return this.#switch(args);
      if (line.undecided && (status < 400 || status === 404)) {
        line.takeAway();
        if (!upgrade.done) notAWebSocket(status);
      } else if (line.undecided) {
        response.setHeader('Connection', 'close');
        line.connect();
      }
      return ServerResponse.prototype.writeHead.apply(response, args);
    }) as ServerResponse['writeHead'];
    line.on('drain', () => response.emit('drain'));
    response.assignSocket(line as unknown as Socket);
    this.response = response;
    this.#line = line;
    responses.set(upgrade.request, this);
  }

  /** From here on the application writes into nothing; streams that are piped into the response are told by its `close`. */
  withdraw(): void {
    this.#line.takeAway();
  }

  switchThrough(send: () => void): Promise<void> {
    return new Promise((resolve) => {
      this.#onSwitching = resolve;
      this.#line.once('close', resolve);
      this.#line.once('connect', resolve);
      send();
    });
  }

  /** Nothing of it is sent, and it never ends: the socket goes on as a WebSocket. */
  #switch(args: readonly unknown[]): ServerResponse {
    const { response } = this;
    const cookies = Object.entries(args.at(-1) as object).find(
      ([name]) => name.toLowerCase() === 'set-cookie',
    );
    if (cookies !== undefined) response.setHeader('Set-Cookie', cookies[1] as string[]);
    response.end = () => response;
    this.#line.ignore();
    this.#onSwitching?.();
    return response;
  }

  /** The 101 is about to be sent: the cookies that the application has set for it. */
  switching(): readonly string[] {
    this.#line.ignore();
    if (this.endsOnAccept) this.response.writeHead(101);
    return [this.response.getHeader('set-cookie') ?? []].flat().map(String);
  }

  /** The socket is a WebSocket now. */
  accepted(): void {
    if (!this.endsOnAccept) {
      this.withdraw();
      return;
    }
    // Not as the callback of `end`, which middleware replaces by functions that know of none.
    this.response.once('finish', () => this.withdraw());
    this.response.end();
  }
}

const sendingCookies = new WeakSet<WebSocketServer>();

/** Puts the application's cookies on the 101. ws writes it itself; this is where it can be added to. */
export function sendCookies(server: WebSocketServer): void {
  if (sendingCookies.has(server)) return;
  sendingCookies.add(server);
  server.on('headers', (lines, request) => {
    const answer = responseTo(request);
    for (const cookie of answer?.switching() ?? []) lines.push(`Set-Cookie: ${cookie}`);
    // Now, and not with the handler, which may have to wait for a first message.
    answer?.accepted();
  });
}

/**
 * Stands in for the socket: what is written to it goes nowhere until the answer turns out to be a refusal, and the
 * socket can be taken from under the application without harming either.
 */
class Line extends Duplex {
  #state: 'undecided' | 'connected' | 'ignored' = 'undecided';

  constructor(readonly upgrade: Upgrade) {
    super();
    this.on('error', ignore);
    upgrade.socket.once('close', () => this.destroy());
  }

  get undecided(): boolean {
    return this.#state === 'undecided';
  }

  /** An application that begins a refusal has as long to finish it as a peer has to close. */
  connect(): void {
    const { upgrade } = this;
    if (upgrade.done) {
      this.takeAway();
      return;
    }
    this.#state = 'connected';
    upgrade.answered();
    this.emit('connect');
    const cancel = upgrade.guard.schedule(upgrade.guard.hostLimits.closeTimeout, () =>
      upgrade.socket.destroy(),
    );
    upgrade.socket.once('close', cancel);
  }

  ignore(): void {
    this.#state = 'ignored';
  }

  takeAway(): void {
    this.ignore();
    this.destroy();
  }

  // What middleware and Node ask of a response's socket, and no more.
  get remoteAddress(): string | undefined {
    return this.upgrade.request.socket?.remoteAddress;
  }

  setTimeout(): this {
    return this;
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (this.#state === 'connected') this.upgrade.socket.write(chunk, () => done());
    else done();
  }

  override _final(done: () => void): void {
    if (this.#state === 'connected') endSoon(this.upgrade.socket, this.upgrade.guard);
    done();
  }

  /** An application that destroys its response means the client. */
  override _destroy(_error: Error | null, done: () => void): void {
    if (this.#state !== 'ignored') this.upgrade.socket.destroy();
    done();
  }
}

function ignore(): void {}
