import { remaining, spend } from '../limits/cell-rate.ts';
import { MessageLedger } from '../limits/message-ledger.ts';
import type { Writer } from '../outbound/writer.ts';
import { Denial, deny, isPromise, type MaybePromise, settled } from '../vocabulary/decision.ts';
import type { ConnectionView, FramedMessage, Identity, RequestView, Socket } from '../vocabulary/ports.ts';
import { randomId } from '../vocabulary/random-id.ts';
import { type Reason, reasons } from '../vocabulary/reasons.ts';
import { NOWHERE, type Rostered } from '../vocabulary/roster.ts';
import type { MessageOf, ReplyOf } from '../vocabulary/schema-types.ts';
import type { Lease } from '../vocabulary/store.ts';
import { type Payload, textOf } from '../wire/codec.ts';
import { type Addressee, type Incoming, UNADDRESSED } from '../wire/incoming.ts';
import type { DeniedMessage, Inspection, PassedMessage } from '../wire/inspection.ts';
import { closeReason, isSendableCloseCode } from './close-frame.ts';
import type { ConnectionContext, ConnectionOrigin } from './connection-context.ts';
import { Inbox } from './inbox.ts';
import { Liveness, type Passed } from './liveness.ts';
import { Term } from './term.ts';
import { Throttle } from './throttle.ts';

/** What `on` was given; `reply` names what a returned value is sent as. */
interface Handler {
  readonly reply: string | undefined;
  readonly run: (message: never, connection: never) => unknown;
}

type CloseListener = (event: { readonly code: number; readonly reason: Reason | undefined }) => void;
/** Reasons for which there is no going on, whatever the policy says about replies. */
const FATAL: ReadonlySet<Reason> = new Set<Reason>([
  'frame_unsupported',
  'message_too_big',
  'message_rate',
  // A renewal or a session that is no longer good leaves nothing to go on with.
  'revoked',
  'banned',
  'not_authorized',
  'auth_attempts',
]);

/** What the client could not have known, or can do nothing about. */
const NO_VIOLATION: ReadonlySet<Reason> = new Set<Reason>([
  'step_up_required',
  'auth_unavailable',
  'store_unavailable',
]);

/** What was decided about an identity elsewhere: it ends the connection, and is nothing that the peer has done. */
const NO_OFFENCE: ReadonlySet<Reason> = new Set<Reason>([...NO_VIOLATION, 'revoked', 'banned', 'internal']);

/** What RFC 6455 §7.1.5 calls a connection that ended without a close frame. */
const TERMINATED = 1006;

/** Milliseconds between two answers to messages that are dropped. */
const TELL_EVERY = 1_000;

/** The untyped side of a connection, for the guard itself. */
export type ConnectionState = Connection<Identity, Record<string, unknown>, Record<string, unknown>>;

/**
 * An accepted, guarded socket. One class instance and no closures: ten thousand idle ones are meant to be cheap.
 */
export class Connection<
  I extends Identity = Identity,
  M = Record<string, unknown>,
  R = Record<string, unknown>,
> implements ConnectionView, Rostered
{
  /** For the guard: its place among the open ones. */
  place = NOWHERE;
  /** Random, so that nobody can guess another's. */
  readonly id: string = randomId();
  /** The handshake, for a renewal to be authorized by. */
  readonly request: RequestView | undefined;
  /** The subprotocol that was agreed on; never a token. */
  readonly subprotocol: string | undefined;
  readonly address: string;
  /** For the guard: whether its address may be banned for what comes over it. */
  readonly bannable: boolean;
  readonly path: string;
  /** For the message room: what it has used up, and the steps that it has made. */
  readonly ledger = new MessageLedger();
  #identity: I;
  #state: 'open' | 'closing' | 'closed' = 'open';
  #reason: Reason | undefined;
  /** Takes no messages any more, and ends with the one that is being handled. */
  #retiring = false;
  /** The states of two buckets, there once they are needed. */
  #violations: number | undefined;
  #controls: number | undefined;
  /** When a dropped message was answered. */
  #toldAt: number | undefined;
  /** How many hold the socket: the inbox, the throttle. */
  #holders = 0;
  #throttle: Throttle | undefined;
  #handlers: Map<string, Handler> | undefined;
  #closeListeners: CloseListener[] | undefined;
  #cancelTerminate: (() => void) | undefined;
  /** There once a message has come: most connections of a large crowd are silent. */
  #inbox: Inbox | undefined;
  readonly #term: Term;
  readonly #liveness: Liveness;
  readonly #openedAt: number;
  readonly #lease: Lease;
  readonly #socket: Socket;
  readonly #context: ConnectionContext<ConnectionState>;

  constructor(socket: Socket, origin: ConnectionOrigin, context: ConnectionContext<ConnectionState>) {
    this.#identity = origin.identity as I;
    this.request = origin.request;
    this.subprotocol = origin.subprotocol;
    this.address = origin.address;
    this.bannable = origin.bannable;
    this.path = origin.path;
    this.#lease = origin.lease;
    this.#socket = socket;
    this.#context = context;
    this.#openedAt = context.clock.monotonic();
    this.#liveness = new Liveness(socket);
    this.#term = new Term(this, context, this.#openedAt);
    origin.lease.onLost(() => this.end('connection_limit'));
    context.opened(this as unknown as ConnectionState);
    context.events.emit('connection.opened', () => this.#facts());
  }

  /** Who is at the other end; after a renewal, the same subject by the new credential. */
  get identity(): I {
    return this.#identity;
  }

  get state(): 'open' | 'closing' | 'closed' {
    return this.#state;
  }

  /**
   * Calls the handler for each message of a type that has passed every check. Messages are handled in order: while a
   * handler's promise is pending, the next message waits. A handler that throws or rejects is answered, or closes the
   * connection, with `internal`, as `policy.onFault` says.
   *
   * With a reply's name in between, what the handler returns is sent as that reply: the answer to the message, by its id
   * where the envelope has ids. In JSON-RPC every request is answered, named reply or not.
   *
   * @throws TypeError for a type that is not in `policy.messages`, or that has a handler already.
   */
  on<K extends keyof M & string>(
    type: K,
    handler: (message: MessageOf<M[K]>, connection: this) => unknown,
  ): this;
  on<K extends keyof M & string, A extends keyof R & string>(
    type: K,
    reply: A,
    handler: (message: MessageOf<M[K]>, connection: this) => MaybePromise<ReplyOf<R[A]>>,
  ): this;
  on(type: string, ...rest: [Handler['run']] | [reply: string, Handler['run']]): this {
    const [reply, run] = rest.length === 1 ? [undefined, rest[0]] : rest;
    if (!this.#context.knows(type)) throw new TypeError(`There is no message '${type}' in the policy.`);
    this.#handlers ??= new Map();
    if (this.#handlers.has(type)) throw new TypeError(`The message '${type}' has a handler already.`);
    this.#handlers.set(type, { reply, run });
    return this;
  }

  /** Calls back once when the connection has ended; `reason` says why where the guard ended it. */
  onClose(listener: CloseListener): this {
    this.#closeListeners ??= [];
    this.#closeListeners.push(listener);
    return this;
  }

  /**
   * Sends a message, `{ type, ...body }` unless `policy.envelope` says otherwise. Returns whether it was taken: `false` once
   * the connection is closing, and where more than `limits.buffered` would wait to be sent.
   *
   * @throws TypeError where `policy.replies` does not allow it; nothing is sent then.
   */
  send<K extends keyof R & string>(type: K, body: ReplyOf<R[K]> & object): boolean {
    const payload = this.#context.writer.message(type, body);
    return this.#state === 'open' && this.#socket.send(payload);
  }

  /** For the guard: sends what was written and framed once for many. */
  sendFramed(message: FramedMessage): boolean {
    return this.#state === 'open' && this.#socket.sendFramed(message);
  }

  /** For the guard: what its messages are written by. */
  get writer(): Writer {
    return this.#context.writer;
  }

  /**
   * Closes with a code of RFC 6455 §7.4 and a reason of at most 123 bytes; a longer one is cut. A peer that does not
   * answer is terminated after `limits.closeTimeout`.
   *
   * @throws RangeError for a code that may not be sent.
   */
  close(code = 1000, reason = ''): void {
    if (!isSendableCloseCode(code)) throw new RangeError(`${code} is not a close code that may be sent.`);
    this.#close(code, closeReason(reason), undefined);
  }

  /** Ends the connection with one of the guard's reasons. */
  end(reason: Reason): void {
    const { close = 1011, text } = reasons[reason];
    if (close === TERMINATED) this.#drop(reason);
    else this.#close(close, text, reason);
  }

  /**
   * For the guard, in a shutdown: takes no messages any more, those included that wait already. One that is being handled is
   * handled to its end and answered before the connection ends with `shutting_down`.
   */
  retire(): void {
    if (this.#state !== 'open' || this.#retiring) return;
    this.#retiring = true;
    const handling = this.#inbox?.isBusy === true && this.#throttle?.isPaying !== true;
    this.#inbox?.close();
    this.#throttle?.close();
    if (!handling) this.end('shutting_down');
  }

  /** For the inbox: what was being handled as it was closed has been. */
  finished(): void {
    if (this.#retiring) this.end('shutting_down');
  }

  /** Drops the connection without a closing handshake. */
  terminate(): void {
    this.#socket.terminate();
  }

  /** For the guard: ends it in favour of a newer connection, and gives its slots back at once. */
  replace(): void {
    this.end('replaced');
    this.#lease.release();
  }

  /** For the guard, about once a second: what has come due. */
  tick(now: number, monotonic: number, passed: Passed): void {
    const due = this.#liveness.tick(this.#socket, this.#context.liveness, passed);
    if (this.#state !== 'open') {
      // Whoever goes on and on instead of answering the close frame is not worth waiting for.
      if (due === 'message_rate') this.#socket.terminate();
      return;
    }
    this.#term.tick(now, monotonic);
    if (this.#state !== 'open' || due === undefined) return;
    if (due === 'ping') this.#socket.ping();
    else if (due === 'message_rate') this.#flooded('bytes that belong to no message');
    else this.end(due);
  }

  /** For hosts: a message has arrived. Never throws. */
  receive(data: Uint8Array | string, isBinary: boolean): void {
    if (this.#state !== 'open') return;
    const bytes = typeof data === 'string' ? Buffer.byteLength(data) : data.byteLength;
    this.#liveness.message(bytes);
    if (this.#retiring) return;
    const wait = this.#throttle?.isWaiting === true ? 1 : this.take(data, isBinary, bytes);
    if (wait > 0) this.#throttled().keep(data, isBinary, bytes, wait);
  }

  /** For its throttle: takes a message that has come: 0, or the milliseconds until it may be taken. */
  take(data: Uint8Array | string, isBinary: boolean, bytes: number): number {
    const { clock } = this.#context;
    const denial = this.#context.checkFrame(this as unknown as ConnectionState, bytes, clock.monotonic());
    if (denial === undefined) {
      this.#inbox ??= new Inbox(this, this.#context.queuedMessages);
      this.#inbox.put(data, isBinary);
    } else if (this.#throttles(denial)) return waitOf(denial);
    else this.#deny({ denial, pointer: undefined, to: UNADDRESSED, ofType: false });
    return 0;
  }

  /** For hosts: a ping or a pong has come. */
  control(bytes: number): void {
    if (this.#state !== 'open') return;
    const { clock, controls } = this.#context;
    this.#liveness.control(bytes);
    const spent = spend(this.#controls ?? 0, clock.monotonic(), controls);
    if (spent < 0) this.#flooded('limits.controls');
    else this.#controls = spent;
  }

  /** For its inbox and its throttle: the socket is not read until both have let go. */
  pauseReading(): void {
    if (this.#holders++ === 0) this.#socket.pause();
  }

  resumeReading(): void {
    if (--this.#holders === 0) this.#socket.resume();
  }

  /** For its throttle: it would take too long. */
  throttledOut(): void {
    this.#flooded('limits.throttle');
  }

  /** For hosts, before anything is sent: whether so many bytes may wait beside those that do already. */
  mayBuffer(bytes: number, waiting: number, part = false): boolean {
    const { buffered, onSlowConsumer } = this.#context;
    if (bytes + waiting <= buffered) return true;
    // A closing handshake is under way already.
    if (this.#state !== 'open') return false;
    this.#tell(
      'message.denied',
      deny('slow_consumer', `more than ${buffered} bytes`).at('outbound'),
      undefined,
    );
    if (onSlowConsumer === 'close' || part) this.end('slow_consumer');
    return false;
  }

  /** For hosts: the socket has closed. Gives the slots back; later calls change nothing. */
  closed(code: number): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#inbox?.close();
    this.#throttle?.close();
    this.#cancelTerminate?.();
    this.#lease.release();
    const reason = this.#reason;
    this.#context.closed(this as unknown as ConnectionState, reason);
    const milliseconds = this.#context.clock.monotonic() - this.#openedAt;
    this.#context.events.emit('connection.closed', () => ({ ...this.#facts(), code, reason, milliseconds }));
    for (const listener of this.#closeListeners ?? []) this.#shield(() => listener({ code, reason }));
  }

  /** For hosts: the WebSocket library found the frames themselves wrong, and is closing the socket. */
  broken(reason: Reason | undefined): void {
    if (this.#state === 'closed') return;
    if (reason !== undefined) {
      this.#reason ??= reason;
      const denial = new Denial(reason, 'refused by the WebSocket library').at('size');
      this.#tell('message.denied', denial, undefined);
      this.#offence();
    }
    this.#closing();
  }

  /** For the inbox: what looking at a message, or handling it, has thrown or rejected with. */
  failed(error: unknown): void {
    this.#failed(error, UNADDRESSED);
  }

  /** For hosts: a handler outside the guard's reach has failed. */
  fault(error: unknown): void {
    this.#context.events.fault('dispatch', error);
    this.end('internal');
  }

  /** For the guard: a stage in report-only mode would have denied a message. */
  reported(denial: Denial, pointer?: string): void {
    this.#tell('message.reported', denial, pointer);
  }

  #tell(name: 'message.denied' | 'message.reported', denial: Denial, pointer: string | undefined): void {
    const { reason, stage = 'dispatch' } = denial;
    this.#context.events.emit(name, () => ({ ...this.#facts(), reason, stage, pointer }));
  }

  /** For the inbox: looks at a message and hands it on. */
  handle(data: Uint8Array | string, isBinary: boolean): MaybePromise<unknown> {
    const inspection = this.#context.inspectMessage(this as unknown as ConnectionState, data, isBinary);
    return isPromise(inspection)
      ? settled(inspection).then((late) => this.#dispatch(late, data, isBinary))
      : this.#dispatch(inspection, data, isBinary);
  }

  /** For its term: tells the client that the credential ends soon. */
  expiring(expiresAt: number): void {
    this.#notify((writer) => writer.notice('auth_expiring', { expiresAt }));
  }

  #dispatch(inspection: Inspection, data: Uint8Array | string, isBinary: boolean): MaybePromise<unknown> {
    // Operators learn of it, also where the connection has ended in the meantime.
    if ('fault' in inspection) return this.#failed(inspection.fault, inspection.to);
    if (this.#state !== 'open' || this.#retiring) return undefined;
    if ('incoming' in inspection) return this.#hand(inspection, data, isBinary);
    if ('renewal' in inspection) return this.#renew(inspection.renewal);
    if (!inspection.ofType && this.#throttles(inspection.denial)) {
      return this.#payLater(waitOf(inspection.denial), data, isBinary);
    }
    this.#deny(inspection);
    return undefined;
  }

  /** Whether a message waits for its tokens instead of being denied. */
  #throttles({ reason }: Denial): boolean {
    return reason === 'message_rate' && this.#context.onRate === 'throttle';
  }

  #throttled(): Throttle {
    const { clock, throttle } = this.#context;
    this.#throttle ??= new Throttle(this, throttle, clock);
    return this.#throttle;
  }

  /** Looks at a message anew once it can pay for its type. */
  #payLater(wait: number, data: Uint8Array | string, isBinary: boolean): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#throttled().pay(wait, () => {
        try {
          resolve(this.handle(data, isBinary));
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  /** The handlers: the typed one first, then those that were written for the bare library. */
  #hand(passed: PassedMessage, data: Uint8Array | string, isBinary: boolean): MaybePromise<unknown> {
    const { incoming, type } = passed;
    try {
      if (type === undefined) return this.#pass(data, isBinary);
      const handler = this.#handlers?.get(type.name);
      // Before the handler, which may change what it gets.
      const bytes = this.#socket.listens() ? this.#bytesOf(incoming, data) : undefined;
      const answer = handler?.run(incoming.body as never, this as never);
      if (isPromise(answer)) return this.#later(passed, handler, answer, bytes, isBinary);
      const delivered = bytes === undefined ? undefined : this.#socket.deliver(bytes, isBinary);
      if (isPromise(delivered)) return this.#later(passed, handler, answer, delivered);
      this.#handled(passed, handler, answer);
    } catch (error) {
      this.#failed(error, incoming.id);
    }
    return undefined;
  }

  /**
   * A message of an opaque protocol: the next one does not wait for its listeners. A promise of theirs may last as long
   * as an operation of that protocol, which a later message ends, and the bare library waits for none.
   */
  #pass(data: Uint8Array | string, isBinary: boolean): undefined {
    const result = this.#socket.listens() ? this.#socket.deliver(data, isBinary) : undefined;
    if (isPromise(result)) result.then(undefined, (error) => this.#failed(error, UNADDRESSED));
  }

  async #later(
    passed: PassedMessage,
    handler: Handler | undefined,
    answer: unknown,
    rest: Uint8Array | string | undefined | Promise<unknown>,
    isBinary = false,
  ): Promise<void> {
    try {
      // The others may throw; among promises that cannot leave a rejection without anybody to hear it.
      const others = isPromise(rest) || rest === undefined ? rest : this.#deliver(rest, isBinary);
      const [late] = await Promise.all([answer, others]);
      this.#handled(passed, handler, late);
    } catch (error) {
      this.#failed(error, passed.incoming.id);
    }
  }

  async #deliver(data: Uint8Array | string, isBinary: boolean): Promise<unknown> {
    return this.#socket.deliver(data, isBinary);
  }

  /** What came, or what stripping and sanitizing have left of it, in the form in which it came. */
  #bytesOf(incoming: Incoming, data: Uint8Array | string): Uint8Array | string {
    if (!incoming.changed) return data;
    const payload = this.#context.writer.rewrite(incoming);
    if (typeof data === 'string') return textOf(payload);
    if (typeof payload === 'string') return Buffer.from(payload);
    // A codec makes a plain `Uint8Array`, whose `toString` is not what a listener of ws knows.
    return Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  }

  #handled({ incoming, type }: PassedMessage, handler: Handler | undefined, answer: unknown): void {
    const { id } = incoming;
    const answers = handler !== undefined && (handler.reply !== undefined || id !== undefined);
    const payload = answers ? this.#context.writer.answer(id, handler.reply, answer) : undefined;
    if (type?.isStep === true) {
      this.ledger.steps ??= new Set();
      this.ledger.steps.add(type.name);
    }
    if (payload !== undefined && this.#state === 'open') this.#socket.send(payload);
  }

  #failed(error: unknown, to: Addressee): void {
    this.#context.events.fault('dispatch', error);
    if (this.#context.onFault === 'close') this.end('internal');
    else this.#answer('internal', undefined, to);
  }

  #renew(message: Incoming): MaybePromise<void> {
    const result = this.#context.renew(this as unknown as ConnectionState, message.body);
    return isPromise(result)
      ? settled(result).then((late) => this.#renewed(late, message))
      : this.#renewed(result, message);
  }

  #renewed(result: Identity | Denial, { id }: Incoming): void {
    if (this.#state !== 'open') return;
    if (result instanceof Denial) {
      this.#deny({ denial: result.at('authentication'), pointer: undefined, to: id, ofType: false });
      return;
    }
    // A revocation between the inspection and now has closed the connections of the old credential only.
    if (this.#context.isRevoked(result)) {
      this.end('revoked');
      return;
    }
    this.#identity = result as I;
    this.#term.renew();
    const { expiresAt } = result;
    this.#context.events.emit('connection.renewed', () => ({ ...this.#facts(), expiresAt }));
    const body = expiresAt === undefined ? {} : { expiresAt };
    this.#notify((writer) => writer.noticeTo(id, 'auth_ok', body));
  }

  #deny({ denial, pointer, to, ofType }: DeniedMessage): void {
    const { onDenied, onRate } = this.#context;
    const { reason } = denial;
    const dropped = reason === 'message_rate' && !ofType && onRate === 'drop';
    if (dropped && !this.#mayTell()) return;
    this.#tell('message.denied', denial, pointer);
    if (FATAL.has(reason) && !ofType && !dropped) this.end(reason);
    else if (NO_VIOLATION.has(reason)) this.#answer(reason, pointer, to);
    else if (this.#violates()) this.end('too_many_violations');
    else if (onDenied === 'close' && !dropped) this.end(reason);
    else this.#answer(reason, pointer, to);
    // After all, since a ban closes with a reason of its own.
    if (!NO_OFFENCE.has(reason)) this.#offence();
  }

  #offence(): void {
    this.#context.offence(this as unknown as ConnectionState);
  }

  /** Whether the last answer to a dropped message is long enough ago. */
  #mayTell(): boolean {
    const now = this.#context.clock.monotonic();
    if (now - (this.#toldAt ?? Number.NEGATIVE_INFINITY) < TELL_EVERY) return false;
    this.#toldAt = now;
    return true;
  }

  /** Counts a violation; whether nothing is left of the budget. */
  #violates(): boolean {
    const { clock, violations } = this.#context;
    const now = clock.monotonic();
    const spent = spend(this.#violations ?? 0, now, violations);
    if (spent >= 0) this.#violations = spent;
    return spent < 0 || remaining(spent, now, violations) === 0;
  }

  /** Too much of what is no message came, so that nothing can be dropped or throttled but the peer itself. */
  #flooded(detail: string): void {
    const denial = deny('message_rate', detail).at('message-rate');
    if (this.#context.reportRate) {
      this.reported(denial);
      return;
    }
    this.#tell('message.denied', denial, undefined);
    this.end('message_rate');
    this.#offence();
  }

  #answer(code: Reason, path: string | undefined, to: Addressee): void {
    this.#notify((writer) => writer.error(code, path, to));
  }

  /** Sends a message of the guard's own. A codec that cannot write it is a fault that cannot be answered. */
  #notify(write: (writer: Writer) => Payload | undefined): void {
    if (this.#state !== 'open') return;
    try {
      const payload = write(this.#context.writer);
      if (payload !== undefined) this.#socket.send(payload);
    } catch (error) {
      this.fault(error);
    }
  }

  #close(code: number, text: string, reason: Reason | undefined): void {
    if (this.#state !== 'open') return;
    this.#reason = reason;
    this.#closing();
    this.#socket.close(code, text);
  }

  /** Ends it without a closing handshake. */
  #drop(reason: Reason): void {
    if (this.#state !== 'open') return;
    this.#reason = reason;
    this.#closing();
    this.#socket.terminate();
  }

  /** Handles nothing more, and drops a peer that does not let the closing handshake end. */
  #closing(): void {
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    this.#inbox?.close();
    this.#throttle?.close();
    this.#cancelTerminate = this.#context.clock.schedule(this.#context.closeTimeout, () =>
      this.#socket.terminate(),
    );
  }

  /** Runs a listener whose failure, at once or later, must end nothing. */
  #shield(call: () => unknown): void {
    try {
      const answer = call();
      if (isPromise(answer)) answer.then(undefined, (error) => this.#context.events.fault('dispatch', error));
    } catch (error) {
      this.#context.events.fault('dispatch', error);
    }
  }

  #facts(): { connection: string; subject: string; address: string; path: string } {
    return { connection: this.id, subject: this.identity.subject, address: this.address, path: this.path };
  }
}

/** Milliseconds until a message that came too fast may come. */
function waitOf({ retryAfter = 0 }: Denial): number {
  return Math.max(1, retryAfter);
}
