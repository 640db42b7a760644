import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { endSoon } from './refuse.ts';
import type { Upgrade } from './upgrade.ts';

const responses = new WeakMap<IncomingMessage, UpgradeResponse>();

/** The response that this upgrade's application has in hand. */
export function responseTo(request: IncomingMessage): UpgradeResponse | undefined {
  return responses.get(request);
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
