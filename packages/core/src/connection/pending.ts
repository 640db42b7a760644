import { Denial, isPromise, type MaybePromise, settled } from '../vocabulary/decision.ts';
import type { EventHub } from '../vocabulary/events.ts';
import type { Clock, Socket } from '../vocabulary/ports.ts';
import { type Reason, reasons } from '../vocabulary/reasons.ts';
import { NOWHERE, type Rostered } from '../vocabulary/roster.ts';
import type { Lease } from '../vocabulary/store.ts';
import type { Payload } from '../wire/codec.ts';
import type { Incoming, MessageId } from '../wire/incoming.ts';
import type { ConnectionState } from './connection.ts';
import type { Writing } from './services.ts';

/** What a pending connection needs, the same for all of a guard. */
export interface PendingServices {
  readonly clock: Clock;
  readonly events: EventHub;
  /** Milliseconds from the 101 until the first message must have authenticated; no traffic extends it. */
  readonly timeout: number;
  /** How many auth messages may fail. */
  readonly attempts: number;
  /** How many pings and pongs may come. */
  readonly controls: number;
  /** The largest auth message, in bytes. */
  readonly authMessageBytes: number;
  /** What is done with a message that comes before the auth message. */
  readonly early: 'refuse' | 'queue';
  /** How many bytes of messages may wait, in either case those that follow an auth message that is being judged. */
  readonly queuedBytes: number;
  readonly closeTimeout: number;
  /** Whether a message is an auth message; parses it safely and never throws. */
  readAuth(data: Uint8Array | string, isBinary: boolean): Incoming | undefined;
  readonly writer: Writing;
  opened(pending: Pending): void;
  /** It is pending no more. */
  settled(pending: Pending): void;
  /** It was not let in, and its socket is being closed. */
  lingers(pending: Pending): void;
  /** Its socket has closed, and it never became a connection. */
  closed(pending: Pending): void;
}

/** What is known of a pending connection, and what it holds. */
export interface PendingOrigin {
  readonly id: string;
  readonly address: string;
  readonly path: string;
  /** The slots in total and of the address; they go on to the connection. */
  readonly lease: Lease;
  /** The slots of pending connections; given back as soon as this one is none any more. */
  readonly pendingLease: Lease;
  /** Judges an auth message; with success the connection is made, its identity's slot held. */
  readonly authenticate: (message: unknown, signal: AbortSignal) => MaybePromise<Authenticated | Denial>;
}

/** A first message that told who it is. */
export interface Authenticated {
  open(socket: Socket): ConnectionState;
  /** Gives the identity's slot back where nobody is there any more. */
  release(): void;
}

interface Waiting {
  readonly data: Uint8Array | string;
  readonly isBinary: boolean;
  readonly bytes: number;
}

/**
 * An accepted socket that has not said who it is. It looks at auth messages only, under one deadline that traffic
 * cannot extend; no handler knows of it. What may wait for its opening is bounded in bytes and delivered in order.
 */
export class Pending implements Rostered {
  place = NOWHERE;
  #ended = false;
  #judging = false;
  #failed = 0;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #receivedBytes = 0;
  #controls = 0;
  #early: Waiting[] = [];
  #connection: ConnectionState | undefined;
  readonly #abort = new AbortController();
  readonly #cancelDeadline: () => void;
  #cancelTerminate: (() => void) | undefined;

  constructor(
    readonly socket: Socket,
    readonly origin: PendingOrigin,
    readonly services: PendingServices,
    readonly onOpen: (connection: ConnectionState) => void,
  ) {
    this.#cancelDeadline = services.clock.schedule(services.timeout, () => this.end('auth_timeout'));
    services.opened(this);
  }

  /** For hosts: a message has arrived. Never throws. */
  receive(data: Uint8Array | string, isBinary: boolean): void {
    const bytes = typeof data === 'string' ? Buffer.byteLength(data) : data.byteLength;
    const message = { data, isBinary, bytes };
    if (this.#connection !== undefined) this.#connection.receive(data, isBinary);
    else if (this.#judging) this.#hold(message, this.#waiting);
    else if (!this.#ended) this.#look(message);
  }

  /** For hosts: bytes have come, of messages that have not ended yet and of control frames, too. */
  received(bytes: number): void {
    const { authMessageBytes, attempts, queuedBytes } = this.services;
    this.#receivedBytes += bytes;
    if (this.#receivedBytes <= authMessageBytes * attempts + 2 * queuedBytes + FRAMING) return;
    this.end('message_too_big');
    // It has not listened so far; what it still sends must not be kept until it answers.
    this.socket.terminate();
  }

  /** For hosts: a ping or a pong has come. */
  control(bytes: number): void {
    if (this.#connection !== undefined) this.#connection.control(bytes);
    else if (++this.#controls > this.services.controls) this.end('message_rate');
  }

  /** For hosts: the socket has closed. */
  closed(code: number): void {
    this.#cancelTerminate?.();
    if (this.#connection !== undefined) {
      this.#connection.closed(code);
      return;
    }
    this.#release();
    this.services.closed(this);
  }

  /** For hosts: the WebSocket library found the frames themselves wrong, and is closing the socket. */
  broken(reason: Reason | undefined): void {
    if (this.#connection !== undefined) this.#connection.broken(reason);
    else if (reason !== undefined)
      this.#tell(new Denial(reason, 'refused by the WebSocket library', undefined, 'size'));
  }

  /** For hosts: what runs once it is open has failed. */
  fault(error: unknown): void {
    this.services.events.fault('dispatch', error);
    this.end('internal');
  }

  /** For hosts: whether so many bytes may wait to be sent. It is told of its own failures only, and of few. */
  mayBuffer(bytes: number, waiting: number, part = false): boolean {
    return this.#connection?.mayBuffer(bytes, waiting, part) ?? true;
  }

  /** Ends it with one of the guard's reasons. */
  end(reason: Reason): void {
    if (this.#connection !== undefined) this.#connection.end(reason);
    else if (!this.#ended) this.#close(reason);
  }

  terminate(): void {
    this.socket.terminate();
  }

  #close(reason: Reason): void {
    this.#tell(
      new Denial(reason, 'a connection that was not authenticated yet', undefined, 'authentication'),
    );
    const { close = 1011, text } = reasons[reason];
    const { clock, closeTimeout } = this.services;
    this.#release();
    this.services.lingers(this);
    this.#cancelTerminate = clock.schedule(closeTimeout, () => this.socket.terminate());
    this.socket.close(close, text);
  }

  #look(message: Waiting): void {
    const { services } = this;
    const small = message.bytes <= services.authMessageBytes;
    const auth = small ? services.readAuth(message.data, message.isBinary) : undefined;
    if (auth !== undefined) this.#judge(auth);
    else if (services.early === 'queue') this.#hold(message, this.#early);
    else this.end(small ? 'credential_missing' : 'message_too_big');
  }

  #hold(message: Waiting, queue: Waiting[]): void {
    // Nor may messages of no bytes at all fill the memory.
    this.#waitingBytes += Math.max(message.bytes, SMALLEST);
    if (this.#waitingBytes > this.services.queuedBytes) this.end('message_too_big');
    else queue.push(message);
  }

  #judge(message: Incoming): void {
    this.#judging = true;
    let result: MaybePromise<Authenticated | Denial>;
    try {
      result = this.origin.authenticate(message.body, this.#abort.signal);
    } catch (error) {
      this.fault(error);
      return;
    }
    if (!isPromise(result)) this.#settle(result, message.id);
    else
      settled(result).then(
        (late) => this.#settle(late, message.id),
        (error) => this.fault(error),
      );
  }

  #settle(result: Authenticated | Denial, id: MessageId | undefined): void {
    this.#judging = false;
    if (result instanceof Denial) this.#fail(result, id);
    else if (this.#ended) result.release();
    else this.#open(result, id);
  }

  #open(authenticated: Authenticated, id: MessageId | undefined): void {
    this.#ended = true;
    this.#cancelDeadline();
    this.origin.pendingLease.release();
    this.services.settled(this);
    const connection = authenticated.open(this.socket);
    this.#connection = connection;
    if (id !== undefined) this.#notify((writer) => writer.noticeTo(id, 'auth_ok', {}));
    if (connection.state === 'open') this.onOpen(connection);
    const held = [...this.#early, ...this.#waiting];
    this.#early = [];
    this.#waiting = [];
    for (const { data, isBinary } of held) connection.receive(data, isBinary);
  }

  #fail(denial: Denial, id: MessageId | undefined): void {
    if (this.#ended) return;
    this.#failed++;
    if (!RETRYABLE.has(denial.reason) || this.#failed >= this.services.attempts) {
      this.end(denial.reason);
      return;
    }
    this.#tell(denial);
    this.#notify((writer) => writer.error(denial.reason, undefined, id));
    if (this.#ended) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#waitingBytes -= waiting.reduce((sum, { bytes }) => sum + Math.max(bytes, SMALLEST), 0);
    for (const { data, isBinary } of waiting) this.receive(data, isBinary);
  }

  /** A codec that cannot write a message of the guard's own is a fault that cannot be answered. */
  #notify(write: (writer: Writing) => Payload | undefined): void {
    try {
      const payload = write(this.services.writer);
      if (payload !== undefined) this.socket.send(payload);
    } catch (error) {
      this.fault(error);
    }
  }

  #release(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#waiting = [];
    this.#early = [];
    this.#cancelDeadline();
    this.#abort.abort();
    this.origin.pendingLease.release();
    this.origin.lease.release();
    this.services.settled(this);
  }

  #tell({ reason, stage = 'authentication' }: Denial): void {
    const { id: connection, address, path } = this.origin;
    this.services.events.emit('message.denied', () => ({
      connection,
      subject: '',
      address,
      path,
      reason,
      stage,
      pointer: undefined,
    }));
  }
}

/** What a waiting message counts at least, in bytes. */
const SMALLEST = 64;

/** What the frames around a few messages take, in bytes. */
const FRAMING = 1_024;

/** Failures after which another credential may be better. */
const RETRYABLE: ReadonlySet<Reason> = new Set<Reason>([
  'credential_invalid',
  'credential_expired',
  'credential_missing',
]);
