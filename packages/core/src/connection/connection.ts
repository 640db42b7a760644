import type { Static, TSchema } from 'typebox';
import { Denial, isPromise, type MaybePromise, settled } from '../decision.ts';
import type { Identity, Lease, RequestView, Socket } from '../ports.ts';
import { type Reason, reasons } from '../reasons.ts';
import { closeReason, isSendableCloseCode } from './close-frame.ts';
import { Inbox } from './inbox.ts';
import type { ConnectionOrigin, ConnectionServices, Judgement } from './services.ts';
import { Term } from './term.ts';

type Handler = (message: never, connection: never) => unknown;
type CloseListener = (event: { readonly code: number; readonly reason: Reason | undefined }) => void;
/** Reasons for which there is no going on, whatever the policy says about replies. */
const FATAL: ReadonlySet<Reason> = new Set<Reason>([
  'frame_unsupported',
  'message_too_big',
  'message_rate',
  // A renewal or a session that is no longer good leaves nothing to go on with.
  'revoked',
  'not_authorized',
  'auth_attempts',
]);

/** What the client could not have known, or can do nothing about. */
const NO_VIOLATION: ReadonlySet<Reason> = new Set<Reason>(['step_up_required', 'auth_unavailable']);

/** The untyped side of a connection, for the guard itself. */
export type ConnectionState = Connection<Identity, Record<string, TSchema>, Record<string, TSchema>>;

/**
 * An accepted, guarded socket. One class instance and no closures: ten thousand idle ones are meant to be cheap.
 */
export class Connection<
  I extends Identity = Identity,
  M = Record<string, TSchema>,
  R = Record<string, TSchema>,
> {
  /** Random, so that nobody can guess another's (CVE-2026-41838). */
  readonly id: string = crypto.randomUUID();
  /** The handshake, for a renewal to be authorized by. */
  readonly request: RequestView | undefined;
  /** The subprotocol that was agreed on; never a token. */
  readonly subprotocol: string | undefined;
  readonly address: string;
  readonly path: string;
  /** Theoretical arrival times of the next message and byte: the state of two buckets. */
  readonly quota = { messages: 0, bytes: 0 };
  #identity: I;
  #state: 'open' | 'closing' | 'closed' = 'open';
  #reason: Reason | undefined;
  #violations = 0;
  #handlers: Map<string, Handler> | undefined;
  #closeListeners: CloseListener[] | undefined;
  #cancelTerminate: (() => void) | undefined;
  readonly #inbox: Inbox;
  readonly #term: Term;
  readonly #openedAt: number;
  readonly #lease: Lease;
  readonly #socket: Socket;
  readonly #services: ConnectionServices;

  constructor(socket: Socket, origin: ConnectionOrigin, services: ConnectionServices) {
    this.#identity = origin.identity as I;
    this.request = origin.request;
    this.subprotocol = origin.subprotocol;
    this.address = origin.address;
    this.path = origin.path;
    this.#lease = origin.lease;
    this.#socket = socket;
    this.#services = services;
    this.#openedAt = services.clock.monotonic();
    this.#inbox = new Inbox(this, socket, services.queuedMessages);
    this.#term = new Term(this, services, this.#openedAt);
    services.opened(this as unknown as ConnectionState);
    services.events.emit('connection.opened', () => this.#facts());
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
   * handler's promise is pending, the next message waits. A handler that throws or rejects closes with `internal`.
   *
   * @throws TypeError for a type that is not in `policy.messages`, or that has a handler already.
   */
  on<K extends keyof M & string>(
    type: K,
    handler: (message: M[K] extends TSchema ? Static<M[K]> : never, connection: this) => unknown,
  ): this {
    if (!this.#services.knows(type)) throw new TypeError(`There is no message '${type}' in the policy.`);
    this.#handlers ??= new Map();
    if (this.#handlers.has(type)) throw new TypeError(`The message '${type}' has a handler already.`);
    this.#handlers.set(type, handler as Handler);
    return this;
  }

  /** Calls back once when the connection has ended; `reason` says why where the guard ended it. */
  onClose(listener: CloseListener): this {
    this.#closeListeners ??= [];
    this.#closeListeners.push(listener);
    return this;
  }

  /**
   * Sends `{ type, ...body }`. Returns whether it was handed to the socket: `false` once the connection is closing.
   *
   * @throws TypeError where `policy.replies` does not allow it; nothing is sent then.
   */
  send<K extends keyof R & string>(
    type: K,
    body: (R[K] extends TSchema ? Static<R[K]> : unknown) & object,
  ): boolean {
    const text = this.#services.encode(type, body as object);
    if (this.#state !== 'open') return false;
    this.#socket.send(text);
    return true;
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
    this.#close(close, text, reason);
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
  tick(now: number, monotonic: number): void {
    if (this.#state === 'open') this.#term.tick(now, monotonic);
  }

  /** For hosts: a message has arrived. Never throws. */
  receive(data: Uint8Array | string, isBinary: boolean): void {
    if (this.#state !== 'open') return;
    const services = this.#services;
    const bytes = typeof data === 'string' ? Buffer.byteLength(data) : data.byteLength;
    const self = this as unknown as ConnectionState;
    const denial = services.admit(self, bytes, services.clock.monotonic());
    if (denial !== undefined) this.#deny(denial, undefined);
    else this.#inbox.put(data, isBinary);
  }

  /** For hosts: the socket has closed. Gives the slots back; later calls change nothing. */
  closed(code: number): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#inbox.close();
    this.#cancelTerminate?.();
    this.#lease.release();
    this.#services.closed(this as unknown as ConnectionState);
    const reason = this.#reason;
    const milliseconds = this.#services.clock.monotonic() - this.#openedAt;
    this.#services.events.emit('connection.closed', () => ({ ...this.#facts(), code, reason, milliseconds }));
    for (const listener of this.#closeListeners ?? []) this.#shield(() => listener({ code, reason }));
  }

  /** For hosts: the WebSocket library found the frames themselves wrong, and is closing the socket. */
  broken(reason: Reason | undefined): void {
    if (this.#state === 'closed') return;
    if (reason !== undefined) {
      this.#reason ??= reason;
      const denial = new Denial(reason, 'refused by the WebSocket library').at('size');
      this.#tell('message.denied', denial, undefined);
    }
    this.#closing();
  }

  /** For hosts: a handler outside the guard's reach has failed. */
  fault(error: unknown): void {
    this.#services.events.fault('dispatch', error);
    this.end('internal');
  }

  /** For the guard: a stage in report-only mode would have denied a message. */
  reported(denial: Denial, pointer?: string): void {
    this.#tell('message.reported', denial, pointer);
  }

  #tell(name: 'message.denied' | 'message.reported', denial: Denial, pointer: string | undefined): void {
    const { reason, stage = 'dispatch' } = denial;
    this.#services.events.emit(name, () => ({ ...this.#facts(), reason, stage, pointer }));
  }

  /** For the inbox: looks at a message and hands it on. */
  handle(data: Uint8Array | string, isBinary: boolean): MaybePromise<unknown> {
    const judgement = this.#services.judge(this as unknown as ConnectionState, data, isBinary);
    return isPromise(judgement)
      ? settled(judgement).then((late) => this.#dispatch(late, data, isBinary))
      : this.#dispatch(judgement, data, isBinary);
  }

  /** For its term: tells the client that the credential ends soon. */
  expiring(expiresAt: number): void {
    this.#socket.send(JSON.stringify({ type: 'auth_expiring', expiresAt }));
  }

  /** A denial, or the handlers: the typed one first, then those that were written for the bare library. */
  #dispatch(judgement: Judgement, data: Uint8Array | string, isBinary: boolean): MaybePromise<unknown> {
    if (this.#state !== 'open') return undefined;
    if ('renewal' in judgement) return this.#renew(judgement.renewal);
    if ('denial' in judgement) {
      this.#deny(judgement.denial, judgement.pointer);
      return undefined;
    }
    const handler = judgement.type === undefined ? undefined : this.#handlers?.get(judgement.type);
    const typed = handler?.(judgement.message as never, this as never);
    if (!isPromise(typed)) return this.#socket.deliver(data, isBinary);
    // The others may throw; inside a promise that cannot leave a rejection of `typed` without anybody to hear it.
    return Promise.all([typed, this.#deliver(data, isBinary)]);
  }

  async #deliver(data: Uint8Array | string, isBinary: boolean): Promise<unknown> {
    return this.#socket.deliver(data, isBinary);
  }

  #renew(message: object): MaybePromise<void> {
    const result = this.#services.renew(this as unknown as ConnectionState, message);
    return isPromise(result) ? settled(result).then((late) => this.#renewed(late)) : this.#renewed(result);
  }

  #renewed(result: Identity | Denial): void {
    if (this.#state !== 'open') return;
    if (result instanceof Denial) {
      this.#deny(result.at('authentication'), undefined);
      return;
    }
    // A revocation between the judgement and now has closed the connections of the old credential only.
    if (this.#services.isRevoked(result)) {
      this.end('revoked');
      return;
    }
    this.#identity = result as I;
    this.#term.renew();
    this.#services.events.emit('connection.renewed', () => ({
      ...this.#facts(),
      expiresAt: result.expiresAt,
    }));
    this.#socket.send(JSON.stringify({ type: 'auth_ok', expiresAt: result.expiresAt }));
  }

  #deny(denial: Denial, pointer: string | undefined): void {
    const { onDenied, violations } = this.#services;
    this.#tell('message.denied', denial, pointer);
    if (FATAL.has(denial.reason)) this.end(denial.reason);
    else if (NO_VIOLATION.has(denial.reason)) this.#answer(denial.reason, pointer);
    else if (++this.#violations >= violations) this.end('too_many_violations');
    else if (onDenied === 'close') this.end(denial.reason);
    else this.#answer(denial.reason, pointer);
  }

  #answer(code: Reason, path: string | undefined): void {
    this.#socket.send(JSON.stringify({ type: 'error', code, path, message: reasons[code].text }));
  }

  #close(code: number, text: string, reason: Reason | undefined): void {
    if (this.#state !== 'open') return;
    this.#reason = reason;
    this.#closing();
    this.#socket.close(code, text);
  }

  /** Handles nothing more, and drops a peer that does not let the closing handshake end. */
  #closing(): void {
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    this.#inbox.close();
    this.#cancelTerminate = this.#services.clock.schedule(this.#services.closeTimeout, () =>
      this.#socket.terminate(),
    );
  }

  /** Runs a listener whose failure, at once or later, must end nothing. */
  #shield(call: () => unknown): void {
    try {
      const answer = call();
      if (isPromise(answer))
        answer.then(undefined, (error) => this.#services.events.fault('dispatch', error));
    } catch (error) {
      this.#services.events.fault('dispatch', error);
    }
  }

  #facts(): { connection: string; subject: string; address: string; path: string } {
    return { connection: this.id, subject: this.identity.subject, address: this.address, path: this.path };
  }
}
