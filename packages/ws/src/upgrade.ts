import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type AnyGuard, type Denial, deny, type Handshake } from '@sallyport/core';
import { refuse } from './refuse.ts';
import { closeInstead } from './reject-socket.ts';
import { handshakeRequest, scrub } from './request.ts';

const upgrades = new WeakMap<IncomingMessage, Upgrade>();

/** The upgrade that this request began, if it came through the outer door. */
export function upgradeOf(request: IncomingMessage): Upgrade | undefined {
  return upgrades.get(request);
}

/**
 * One upgrade request and its raw socket, from the first statement of the `upgrade` event until the 101 or the
 * refusal. It keeps the socket harmless while the policy decides: errors are caught, early frames are kept in a
 * bounded buffer (bytes left unread would hide that the client has gone), and the client's end is noticed.
 */
export class Upgrade {
  readonly handshake: Handshake;
  #chunks: Buffer[];
  #bytes: number;
  #done = false;

  constructor(
    readonly request: IncomingMessage,
    readonly socket: Duplex,
    head: Buffer,
    readonly guard: AnyGuard,
    overUnixSocket: boolean,
  ) {
    socket.on('error', destroy);
    this.#chunks = [head];
    this.#bytes = head.length;
    this.handshake = guard.handshake(handshakeRequest(request, overUnixSocket), (denial) =>
      this.refuse(denial),
    );
    upgrades.set(request, this);
    socket.on('close', this.#onClose).on('end', this.#onEnd).on('data', this.#onData);
  }

  /** Whether nobody waits for a decision any more. */
  get done(): boolean {
    return this.#done || this.socket.destroyed;
  }

  /** Hides credentials; to be called once the outer door has read them. */
  scrub(): void {
    scrub(this.request, this.handshake);
  }

  /** Refuses a client that has sent more than `limits.earlyBytes`; some of it came with the request itself. */
  boundEarlyBytes(): void {
    const { earlyBytes } = this.guard.hostLimits;
    if (this.#done || this.#bytes <= earlyBytes) return;
    this.#chunks = [];
    this.refuse(
      this.handshake.deny(deny('request_malformed', `more than ${earlyBytes} bytes before the 101`)),
    );
  }

  /** Refuses by HTTP, or by a close code where the route's policy wants that. Only the first call counts. */
  refuse(denial: Denial, guard: AnyGuard = this.guard): void {
    if (this.#done) return;
    this.#done = true;
    if (guard.closesInstead(denial) && closeInstead(this, denial, guard)) return;
    // Whatever else arrives is read and dropped: closing a socket with unread bytes would reset it under the refusal.
    refuse(this.socket, denial, guard);
  }

  /** The application has answered over HTTP; what else arrives is read and dropped. */
  answered(): void {
    this.#done = true;
    this.handshake.abandon();
  }

  /** Hands the socket over, to be upgraded: returns what has arrived so far. The caller resumes the socket. */
  takeOver(): Buffer {
    this.#done = true;
    this.socket.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose);
    this.socket.pause();
    return this.#takeHead();
  }

  /** Hands the socket to a listener that the guard does not stand before; nothing of it is left on the socket. */
  letGo(): Buffer {
    this.handshake.abandon();
    const head = this.takeOver();
    this.socket.off('error', destroy);
    return head;
  }

  /** The error listener that kept the socket harmless is no longer needed: the WebSocket library has its own. */
  upgraded(): void {
    this.socket.off('error', destroy);
  }

  #takeHead(): Buffer {
    const [first = Buffer.alloc(0), ...rest] = this.#chunks;
    this.#chunks = [];
    return rest.length === 0 ? first : Buffer.concat([first, ...rest]);
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#done) return;
    this.#bytes += chunk.length;
    this.#chunks.push(chunk);
    this.boundEarlyBytes();
  };

  readonly #onEnd = (): void => {
    if (!this.#done) this.socket.destroy();
  };

  readonly #onClose = (): void => {
    this.#done = true;
    this.#chunks = [];
    this.handshake.abandon();
  };
}

function destroy(this: Duplex): void {
  this.destroy();
}
