import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { AnyGuard } from '@sallyport/core';
import { type Denial, deny, type Handshake } from '@sallyport/core/host';
import { refuse } from './refuse.ts';
import { closeInstead } from './reject-socket.ts';
import { handshakeRequest, scrub } from './request.ts';

/** On the request itself: the entries of a `WeakMap` would outlive the next small collections, and all that they lead to. */
const UPGRADE: unique symbol = Symbol('sallyport.upgrade');

/** The upgrade that this request began, if it came through the outer door. */
export function upgradeOf(request: IncomingMessage): Upgrade | undefined {
  return (request as { readonly [UPGRADE]?: Upgrade })[UPGRADE];
}

/**
 * One upgrade request and its raw socket, from the first statement of the `upgrade` event until the 101 or the
 * refusal. It keeps the socket harmless while the policy decides: errors are caught, and where it does not decide at once,
 * early frames are kept in a bounded buffer (bytes left unread would hide that the client has gone), and the client's end is
 * noticed.
 */
export class Upgrade {
  readonly handshake: Handshake;
  #chunks: Buffer[];
  #bytes: number;
  #done = false;
  /** Whether an error ends the socket only, and not the process. */
  #isHardened = false;
  /** There from where nothing was decided at once. */
  #listeners: Listeners | undefined;

  constructor(
    readonly request: IncomingMessage,
    readonly socket: Duplex,
    head: Buffer,
    readonly guard: AnyGuard,
    overUnixSocket: boolean,
  ) {
    this.#chunks = [head];
    this.#bytes = head.length;
    this.handshake = guard.handshake(handshakeRequest(request, overUnixSocket), (denial) =>
      this.refuse(denial),
    );
    // Not enumerable: it leads to the credentials, and a request may be logged.
    Object.defineProperty(request, UPGRADE, { value: this });
  }

  /** Whether nobody waits for a decision any more. */
  get done(): boolean {
    return this.#done || this.socket.destroyed;
  }

  /** To be called before anything else can happen to the socket: nothing is decided yet, so it is listened to. */
  wait(): void {
    if (this.#done || this.#listeners !== undefined) return;
    this.harden();
    const close = (): void => this.#closed();
    const end = (): void => this.#ended();
    const data = (chunk: Buffer): void => this.#received(chunk);
    this.#listeners = { close, end, data };
    this.socket.on('close', close).on('end', end).on('data', data);
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
    this.harden();
    if (guard.closesInstead(denial) && closeInstead(this, denial, guard)) return;
    // Whatever else arrives is read and dropped: closing a socket with unread bytes would reset it under the refusal.
    this.socket.resume();
    refuse(this.socket, denial, guard);
  }

  /** The application has answered over HTTP; what else arrives is read and dropped. */
  answered(): void {
    this.#done = true;
    this.harden();
    this.handshake.abandon();
    this.socket.resume();
  }

  /** Hands the socket over, to be upgraded: returns what has arrived so far. It flows again for whoever listens to its data. */
  takeOver(): Buffer {
    this.#done = true;
    if (this.#listeners !== undefined) {
      const { close, end, data } = this.#listeners;
      this.socket.off('data', data).off('end', end).off('close', close);
      // As Node's own HTTP hands on the socket of an upgrade: one that is paused would wait for somebody to resume it.
      (this.socket as { readableFlowing: boolean | null }).readableFlowing = null;
    }
    return this.#takeHead();
  }

  /** Hands the socket to a listener that the guard does not stand before; nothing of it is left on the socket. */
  letGo(): Buffer {
    this.handshake.abandon();
    const head = this.takeOver();
    this.upgraded();
    return head;
  }

  /** The error listener that kept the socket harmless is no longer needed: the WebSocket library has its own. */
  upgraded(): void {
    if (this.#isHardened) this.socket.off('error', destroy);
    this.#isHardened = false;
  }

  /** From here on the socket may fail while nobody else listens. */
  harden(): void {
    if (this.#isHardened) return;
    this.#isHardened = true;
    this.socket.on('error', destroy);
  }

  #takeHead(): Buffer {
    const chunks = this.#chunks;
    this.#chunks = [];
    return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
  }

  #received(chunk: Buffer): void {
    if (this.#done) return;
    this.#bytes += chunk.length;
    this.#chunks.push(chunk);
    this.boundEarlyBytes();
  }

  #ended(): void {
    if (!this.#done) this.socket.destroy();
  }

  #closed(): void {
    this.#done = true;
    this.#chunks = [];
    this.handshake.abandon();
  }
}

interface Listeners {
  readonly close: () => void;
  readonly end: () => void;
  readonly data: (chunk: Buffer) => void;
}

function destroy(this: Duplex): void {
  this.destroy();
}
