import type { Socket } from '../vocabulary/ports.ts';

/** How often a connection is looked at, in milliseconds. */
export const TICK = 1_000;

export interface LivenessLimits {
  /** Milliseconds of silence after which a peer is pinged, and as many again after which it is gone; infinity for never. */
  readonly heartbeat: number;
  /** Milliseconds without a message after which a connection ends; infinity for never. */
  readonly idle: number;
  /** Bytes that may have come beside those of whole messages. */
  readonly unaccounted: number;
  /** How many of these are forgotten in a millisecond. */
  readonly forgotten: number;
}

/** How much time has passed since the last look, in whole milliseconds. */
export interface Passed {
  readonly elapsed: number;
  /** Whether this process was kept from looking in time: what peers have said meanwhile may not have been read yet. */
  readonly late: boolean;
}

/** What has come due: a ping, or the end for one of these reasons. */
export type Due = 'ping' | 'unresponsive' | 'idle' | 'message_rate';

/** There was a message since the last tick. */
const SPOKE = -1;

/**
 * What is heard from a peer, and for how long nothing was. Looked at once a second: no timer, and small whole numbers only,
 * which take no memory of their own.
 */
export class Liveness {
  /** Bytes that had been read at the last tick, modulo 2^32. */
  #read: number;
  /** Bytes of the messages and control frames since then. */
  #accounted = 0;
  /** Bytes that no message has accounted for: of one under way, of empty fragments, of many headers. */
  #surplus = 0;
  /** Milliseconds without a single byte. */
  #silence = 0;
  /** Milliseconds without a message. */
  #idle = SPOKE;

  constructor(socket: Socket) {
    this.#read = socket.bytesRead() | 0;
  }

  /** A message has come. */
  message(bytes: number): void {
    this.#idle = SPOKE;
    this.#accounted += bytes + headerOf(bytes);
  }

  /** A ping or a pong has come. */
  control(bytes: number): void {
    this.#accounted += bytes + headerOf(bytes);
  }

  tick(socket: Socket, limits: LivenessLimits, { elapsed, late }: Passed): Due | undefined {
    const heard = this.#listen(socket, Math.floor(elapsed * limits.forgotten));
    if (this.#surplus > limits.unaccounted) return 'message_rate';
    // Nor is anything known of a peer whose socket is not read.
    const waited = late || socket.isHeld() ? 0 : elapsed;
    const due = this.#wait(heard, waited, limits.heartbeat);
    if (this.#idle === SPOKE) this.#idle = 0;
    else this.#idle += waited;
    return this.#idle >= limits.idle && due !== 'unresponsive' ? 'idle' : due;
  }

  /** Whether anything came. */
  #listen(socket: Socket, forgotten: number): boolean {
    const read = socket.bytesRead() | 0;
    const came = (read - this.#read) | 0;
    const accounted = this.#accounted;
    this.#read = read;
    this.#accounted = 0;
    this.#surplus = Math.max(0, this.#surplus + came - accounted - forgotten);
    return came !== 0 || accounted !== 0;
  }

  #wait(heard: boolean, waited: number, heartbeat: number): Due | undefined {
    // A tick earlier, since what came just after the last one was heard at this one.
    const pingAt = Math.max(1, heartbeat - TICK);
    const before = this.#silence;
    if (heard) this.#silence = 0;
    // Whoever has been pinged has another whole interval for the answer.
    else this.#silence = waited === 0 ? Math.min(before, pingAt) : before + waited;
    if (before < pingAt) return this.#silence >= pingAt ? 'ping' : undefined;
    return this.#silence >= pingAt + heartbeat ? 'unresponsive' : undefined;
  }
}

/** Bytes of a frame of a client around its payload (RFC 6455 §5.2). */
function headerOf(payload: number): number {
  return payload < 126 ? 6 : payload < 65_536 ? 8 : 14;
}
