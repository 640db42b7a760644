import type { Socket } from '../vocabulary/ports.ts';

/** Milliseconds between two checks of a connection. */
export const TICK = 1_000;

export interface LivenessLimits {
  /** Milliseconds of silence until a ping, and again until the connection is given up. Infinity for never. */
  readonly heartbeat: number;
  /** Milliseconds without a message until the connection ends. Infinity for never. */
  readonly idle: number;
  /** Bytes that may arrive without belonging to a whole message or a control frame. */
  readonly unaccounted: number;
  /** How many unaccounted bytes are forgiven per millisecond. */
  readonly forgotten: number;
}

/** The time since the last check. */
export interface Passed {
  readonly elapsed: number;
  /** Whether the process was blocked, so that bytes of the peer may have arrived that nobody has read yet. */
  readonly late: boolean;
}

/** What is due: a ping, or the end with one of these reasons. */
export type Due = 'ping' | 'unresponsive' | 'idle' | 'message_rate';

/** Stands for: there was a message since the last tick. */
const SPOKE = -1;

/**
 * Measures how long a peer has been silent, and how many bytes it sends outside of messages. It is checked once a second and
 * needs no timer. It holds small whole numbers only, for which V8 allocates no memory.
 */
export class Liveness {
  /** Bytes that had been read at the last tick, modulo 2^32. */
  #read: number;
  /** Bytes of the messages and control frames since the last tick. */
  #accounted = 0;
  /** Bytes that belong to no whole message so far: of an unfinished message, of empty fragments, of many headers. */
  #surplus = 0;
  /** Milliseconds without any byte. */
  #silence = 0;
  /** Milliseconds without a message. */
  #idle = SPOKE;

  constructor(socket: Socket) {
    this.#read = socket.bytesRead() | 0;
  }

  message(bytes: number): void {
    this.#idle = SPOKE;
    this.#accounted += bytes + headerOf(bytes);
  }

  control(bytes: number): void {
    this.#accounted += bytes + headerOf(bytes);
  }

  tick(socket: Socket, limits: LivenessLimits, { elapsed, late }: Passed): Due | undefined {
    const heard = this.#listen(socket, Math.floor(elapsed * limits.forgotten));
    if (this.#surplus > limits.unaccounted) return 'message_rate';
    // While the process was blocked or the socket is not read, silence says nothing about the peer.
    const waited = late || socket.isHeld() ? 0 : elapsed;
    const due = this.#wait(heard, waited, limits.heartbeat);
    if (this.#idle === SPOKE) this.#idle = 0;
    else this.#idle += waited;
    return this.#idle >= limits.idle && due !== 'unresponsive' ? 'idle' : due;
  }

  /** Counts the bytes since the last tick. Returns whether there were any. */
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
    // One tick early, because bytes that came right after the last tick are noticed only at this one.
    const pingAt = Math.max(1, heartbeat - TICK);
    const before = this.#silence;
    if (heard) this.#silence = 0;
    // If this interval does not count, a peer that has been pinged gets a whole interval for its answer.
    else this.#silence = waited === 0 ? Math.min(before, pingAt) : before + waited;
    if (before < pingAt) return this.#silence >= pingAt ? 'ping' : undefined;
    return this.#silence >= pingAt + heartbeat ? 'unresponsive' : undefined;
  }
}

/** Bytes of the header of a client's frame (RFC 6455 §5.2). */
function headerOf(payload: number): number {
  return payload < 126 ? 6 : payload < 65_536 ? 8 : 14;
}
