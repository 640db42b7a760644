import type { Writer } from '../outbound/writer.ts';
import { Denial, isPromise, type MaybePromise, settled } from '../vocabulary/decision.ts';
import type { Socket } from '../vocabulary/ports.ts';
import { type Reason, reasons } from '../vocabulary/reasons.ts';
import { NOWHERE, type Rostered } from '../vocabulary/roster.ts';
import type { Payload } from '../wire/codec.ts';
import type { Incoming, MessageId } from '../wire/incoming.ts';
import type { GuardedConnection } from './guarded-connection.ts';
import type { Authenticated, PendingContext, PendingOrigin } from './pending-context.ts';

interface Waiting {
  readonly data: Uint8Array | string;
  readonly isBinary: boolean;
  readonly bytes: number;
}

/**
 * An accepted socket that has not authenticated yet. It reads auth messages only, until a deadline that traffic cannot
 * extend, and no handler sees it. Other messages may wait, up to a number of bytes, and are then delivered in order.
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
  #connection: GuardedConnection | undefined;
  readonly #abort = new AbortController();
  readonly #cancelDeadline: () => void;
  #cancelTerminate: (() => void) | undefined;

  constructor(
    readonly socket: Socket,
    readonly origin: PendingOrigin,
    readonly context: PendingContext<Pending>,
    readonly onOpen: (connection: GuardedConnection) => void,
  ) {
    this.#cancelDeadline = context.clock.schedule(context.timeout, () => this.end('auth_timeout'));
    context.opened(this);
  }

  get server(): object | undefined {
    return this.origin.server;
  }

  receive(data: Uint8Array | string, isBinary: boolean): void {
    const bytes = typeof data === 'string' ? Buffer.byteLength(data) : data.byteLength;
    const message = { data, isBinary, bytes };
    if (this.#connection !== undefined) this.#connection.receive(data, isBinary);
    else if (this.#judging) this.#hold(message, this.#waiting);
    else if (!this.#ended) this.#look(message);
  }

  received(bytes: number): void {
    const { authMessageBytes, attempts, queuedBytes } = this.context;
    this.#receivedBytes += bytes;
    if (this.#receivedBytes <= authMessageBytes * attempts + 2 * queuedBytes + FRAMING) return;
    this.end('message_too_big');
    // Destroy it without waiting for a close frame, since it would go on sending until then.
    this.socket.terminate();
  }

  control(bytes: number): void {
    if (this.#connection !== undefined) this.#connection.control(bytes);
    else if (++this.#controls > this.context.controls) this.end('message_rate');
  }

  closed(code: number): void {
    this.#cancelTerminate?.();
    if (this.#connection !== undefined) {
      this.#connection.closed(code);
      return;
    }
    this.#release();
    this.context.closed(this);
  }

  broken(reason: Reason | undefined): void {
    if (this.#connection !== undefined) this.#connection.broken(reason);
    else if (reason !== undefined)
      this.#tell(new Denial(reason, 'refused by the WebSocket library', undefined, 'size'));
  }

  /** Called when the host's code that runs after the opening has failed. */
  fault(error: unknown): void {
    this.context.events.fault('dispatch', error);
    this.end('internal');
  }

  /** A pending connection is sent only a few error replies, so no limit is needed before it opens. */
  mayBuffer(bytes: number, waiting: number, part = false): boolean {
    return this.#connection?.mayBuffer(bytes, waiting, part) ?? true;
  }

  /** Ends the socket with the close code and text of a reason. */
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
    const { clock, closeTimeout } = this.context;
    this.#release();
    this.context.lingers(this);
    this.#cancelTerminate = clock.schedule(closeTimeout, () => this.socket.terminate());
    this.socket.close(close, text);
  }

  #look(message: Waiting): void {
    const { context } = this;
    const small = message.bytes <= context.authMessageBytes;
    const auth = small ? context.readAuth(message.data, message.isBinary) : undefined;
    if (auth !== undefined) this.#judge(auth);
    else if (context.early === 'queue') this.#hold(message, this.#early);
    else this.end(small ? 'credential_missing' : 'message_too_big');
  }

  #hold(message: Waiting, queue: Waiting[]): void {
    // Empty messages take memory, too.
    this.#waitingBytes += Math.max(message.bytes, SMALLEST);
    if (this.#waitingBytes > this.context.queuedBytes) this.end('message_too_big');
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
    this.context.settled(this);
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
    if (!RETRYABLE.has(denial.reason) || this.#failed >= this.context.attempts) {
      if (denial.reason === 'auth_unavailable' && denial.retryAfter !== undefined)
        this.#notify((writer) => writer.error(denial.reason, undefined, id, denial.retryAfter));
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

  /**
   * Sends a message that the guard itself writes. If the codec fails, the socket is closed, because no error reply could be
   * written either.
   */
  #notify(write: (writer: Writer) => Payload | undefined): void {
    try {
      const payload = write(this.context.writer);
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
    this.context.settled(this);
  }

  #tell({ reason, stage = 'authentication' }: Denial): void {
    const { id: connection, address, path } = this.origin;
    this.context.events.emit('message.denied', () => ({
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

/** The least number of bytes that a waiting message counts as. */
const SMALLEST = 64;

/** Bytes that the frame headers of a few messages take. */
const FRAMING = 1_024;

/** Failures after which the client may try another credential. */
const RETRYABLE: ReadonlySet<Reason> = new Set<Reason>([
  'credential_invalid',
  'credential_expired',
  'credential_missing',
]);
