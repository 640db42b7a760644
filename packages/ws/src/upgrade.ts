import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { AnyGuard } from '@sallyport/core';
import { type Denial, deny, type HostHandshake, hostGuard } from '@sallyport/core/host';
import { refuseByClosing } from './close-code-refusal.ts';
import { handshakeRequest, scrub } from './handshake-request.ts';
import { refuse } from './http-refusal.ts';
import { afterResponses, hasOutstandingResponse } from './outstanding-response.ts';
import { type Seal, sealSocket } from './sealed-socket.ts';

/** A property of the request: the entries of a `WeakMap`, and all that they refer to, would outlive several small collections. */
const UPGRADE: unique symbol = Symbol('sallyport.upgrade');

/** The upgrade of a request, if the request came through an outer door. */
export function upgradeOf(request: IncomingMessage): Upgrade | undefined {
  return (request as { readonly [UPGRADE]?: Upgrade })[UPGRADE];
}

/**
 * One upgrade request and its raw socket, from the `upgrade` event until the 101 or the refusal. While the policy decides,
 * a socket error ends only the socket, early frames are read into a buffer of `limits.earlyBytes`, and a client that leaves
 * is noticed (which unread bytes would hide). A decision that comes at once needs none of these listeners.
 */
export class Upgrade implements Seal {
  readonly handshake: HostHandshake;
  #chunks: Buffer[];
  #bytes: number;
  #done = false;
  #isPublic = false;
  /** Whether our error listener is on the socket. */
  #isHardened = false;
  /** Set by `wait`, when the decision takes longer than the `upgrade` event. */
  #listeners: Listeners | undefined;

  constructor(
    readonly request: IncomingMessage,
    readonly socket: Duplex,
    head: Buffer,
    readonly guard: AnyGuard,
    overUnixSocket: boolean,
    server: object,
  ) {
    this.#chunks = [head];
    this.#bytes = head.length;
    const described = handshakeRequest(request, overUnixSocket, server);
    this.handshake = hostGuard(guard).begin(described, (denial) => this.refuse(denial));
    // Not enumerable, because loggers print requests, and the upgrade refers to credentials.
    Object.defineProperty(request, UPGRADE, { value: this });
  }

  /** Whether the upgrade is decided, or its socket is gone. */
  get done(): boolean {
    return this.#done || this.socket.destroyed;
  }

  /** Whether a 101 may leave: the route has admitted it, is public by name, or refuses by a close code. */
  get maySwitch(): boolean {
    return this.#isPublic || this.handshake.admitted;
  }

  /** Something else than a guard's route has answered with a 101, which has not left. */
  broken(error: Error): void {
    this.harden();
    this.handshake.fault(error);
    this.#closed();
  }

  /** Lets no 101 leave before the handshake is admitted, whatever answers it. Call it before anything else gets the socket. */
  seal(): void {
    sealSocket(this.socket, this);
  }

  /** Lets a 101 leave without a guard's decision, since the route is public by name. */
  unsafeLetSwitch(): void {
    this.#isPublic = true;
  }

  /** Listens to the socket until the decision. Call it before the `upgrade` event ends. */
  wait(): void {
    if (this.#done || this.#listeners !== undefined) return;
    this.harden();
    const close = (): void => this.#closed();
    const end = (): void => this.#ended();
    const data = (chunk: Buffer): void => this.#received(chunk);
    this.#listeners = { close, end, data };
    this.socket.on('close', close).on('end', end).on('data', data);
  }

  /**
   * Refuses an upgrade that was sent before an earlier request of its connection was answered: a 101 would overtake that
   * answer, or the answer would be written into the WebSocket (RFC 9112 §9.3.2).
   */
  refuseBehindResponse(): void {
    if (this.#done || !hasOutstandingResponse(this.socket)) return;
    this.refuse(
      this.handshake.deny(
        deny('request_malformed', 'an earlier request of this connection has no answer yet'),
      ),
    );
  }

  /** Removes credentials from the request. Call it once the outer door has read them. */
  scrub(): void {
    scrub(this.request, this.handshake);
  }

  /** Refuses a client that has sent more than `limits.earlyBytes`, counting what came with the request. */
  boundEarlyBytes(): void {
    const { earlyBytes } = hostGuard(this.guard).limits;
    if (this.#done || this.#bytes <= earlyBytes) return;
    this.#chunks = [];
    this.refuse(
      this.handshake.deny(deny('request_malformed', `more than ${earlyBytes} bytes before the 101`)),
    );
  }

  /** Refuses over HTTP, or by a close code if the route's policy says `rejectAs: 'close'`. Only the first call counts. */
  refuse(denial: Denial, guard: AnyGuard = this.guard): void {
    if (this.#done) return;
    this.#done = true;
    this.harden();
    if (hasOutstandingResponse(this.socket)) {
      this.socket.resume();
      afterResponses(this.socket, () => refuse(this.socket, denial, guard));
      return;
    }
    if (hostGuard(guard).closesInstead(denial) && refuseByClosing(this, denial, guard)) return;
    // Read and drop what still arrives: closing a socket with unread bytes would reset it, and the refusal would be lost.
    this.socket.resume();
    refuse(this.socket, denial, guard);
  }

  /** Notes that the application has answered over HTTP. What still arrives is read and dropped. */
  answered(): void {
    this.#done = true;
    this.harden();
    this.handshake.abandon();
    this.socket.resume();
  }

  /** Prepares the socket for the 101, and returns the bytes that have arrived so far. */
  takeOver(): Buffer {
    this.#done = true;
    if (this.#listeners !== undefined) {
      const { close, end, data } = this.#listeners;
      this.socket.off('data', data).off('end', end).off('close', close);
      // As node:http leaves the socket of an upgrade: flowing when the next `data` listener is added, and not paused.
      (this.socket as { readableFlowing: boolean | null }).readableFlowing = null;
    }
    return this.#takeHead();
  }

  /** Hands the socket over to an `upgrade` listener outside the guard, with none of the guard's listeners left on it. */
  handOver(): Buffer {
    this.handshake.abandon();
    const head = this.takeOver();
    this.upgraded();
    return head;
  }

  /** Removes our error listener, once the WebSocket library has added its own. */
  upgraded(): void {
    if (this.#isHardened) this.socket.off('error', destroy);
    this.#isHardened = false;
  }

  /** Adds an error listener, without which a failing socket would end the process. */
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
