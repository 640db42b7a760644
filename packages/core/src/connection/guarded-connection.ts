import { spend } from '../limits/cell-rate.ts';
import { MessageLedger } from '../limits/message-ledger.ts';
import type { Writer } from '../outbound/writer.ts';
import { showAs } from '../vocabulary/debug-view.ts';
import { type Denial, isPromise, type MaybePromise, settled } from '../vocabulary/decision.ts';
import type { ConnectionFacts, Facts } from '../vocabulary/events.ts';
import type { FramedMessage, Identity, RequestView, Socket } from '../vocabulary/ports.ts';
import { randomId } from '../vocabulary/random-id.ts';
import type { Reason } from '../vocabulary/reasons.ts';
import { NOWHERE, type Rostered } from '../vocabulary/roster.ts';
import type { Lease } from '../vocabulary/store-contract.ts';
import type { Payload } from '../wire/codec.ts';
import type { Addressee } from '../wire/incoming.ts';
import type { Inspection } from '../wire/inspection.ts';
import { closeReason, isSendableCloseCode } from './close-frame.ts';
import { type CloseListener, CloseNotice } from './close-notice.ts';
import type { Connection } from './connection.ts';
import type { ConnectionContext, ConnectionOrigin } from './connection-context.ts';
import { summaryOf } from './connection-summary.ts';
import { renew } from './credential-renewal.ts';
import { addHandler, deliver, failDelivery, type Handler, type OnArguments } from './delivery.ts';
import { Denials } from './denials.ts';
import { Ending } from './ending.ts';
import { Intake } from './intake.ts';
import { Liveness, type Passed } from './liveness.ts';
import { RECEIVER, type Receiver } from './receiver.ts';
import { Term } from './term.ts';

/**
 * The implementation of a connection. Users see it as a `Connection`, hosts as a `Receiver`, its parts as their owner.
 * It has no closures and no timers, and creates its parts on first use, so that ten thousand idle connections take little memory.
 */
export class GuardedConnection implements Connection, Receiver, Rostered {
  place = NOWHERE;
  readonly id: string = randomId();
  /** The handshake, which `authorize` gets again for a renewal. */
  readonly request: RequestView | undefined;
  readonly subprotocol: string | undefined;
  readonly address: string;
  readonly path: string;
  readonly server: object | undefined;
  /** Whether the address may be banned. */
  readonly bannable: boolean;
  readonly ledger = new MessageLedger();
  handlers: Map<string, Handler> | undefined;
  #identity: Identity;
  #closeNotice: CloseNotice | undefined;
  /** The state of the rate of pings and pongs, as `spend` returns it. */
  #controls = 0;
  #intake: Intake | undefined;
  #denials: Denials | undefined;
  /** Created when the connection begins to end. Until then it accepts messages. */
  #ending: Ending | undefined;
  readonly #term: Term;
  readonly #liveness: Liveness;
  readonly #lease: Lease;
  readonly #socket: Socket;
  readonly #context: ConnectionContext<GuardedConnection>;

  static {
    showAs('Connection', GuardedConnection.prototype, (connection) =>
      #ending in connection ? connection.toJSON() : undefined,
    );
  }

  constructor(socket: Socket, origin: ConnectionOrigin, context: ConnectionContext<GuardedConnection>) {
    this.#identity = origin.identity;
    this.request = origin.request;
    this.subprotocol = origin.subprotocol;
    this.address = origin.address;
    this.path = origin.path;
    this.server = origin.server;
    this.bannable = origin.bannable;
    this.#lease = origin.lease;
    this.#socket = socket;
    this.#context = context;
    this.#liveness = new Liveness(socket);
    this.#term = new Term(this);
    context.opened(this);
    context.events.emit('connection.opened', () => this.facts());
    // Last in the constructor, because for a lease that is lost already, the listener is called at once.
    origin.lease.onLost((replaced) => (replaced ? this.replace() : this.end('connection_limit')));
  }

  get identity(): Identity {
    return this.#identity;
  }

  get state(): 'open' | 'closing' | 'closed' {
    return this.#ending?.state ?? 'open';
  }

  get openedAt(): number {
    return this.#term.openedAt;
  }

  get socket(): Socket {
    return this.#socket;
  }

  get context(): ConnectionContext<GuardedConnection> {
    return this.#context;
  }

  get denials(): Denials {
    this.#denials ??= new Denials(this);
    return this.#denials;
  }

  /** Creates the ending. Call it only to end the connection. */
  get ending(): Ending {
    this.#ending ??= new Ending(this);
    return this.#ending;
  }

  get [RECEIVER](): Receiver {
    return this;
  }

  on(type: string, ...rest: OnArguments): this {
    addHandler(this, type, rest);
    return this;
  }

  onClose(listener: CloseListener): this {
    this.#closeNotice ??= new CloseNotice(this.#context.events, this.#ending?.event);
    this.#closeNotice.add(listener);
    return this;
  }

  get signal(): AbortSignal {
    this.#closeNotice ??= new CloseNotice(this.#context.events, this.#ending?.event);
    return this.#closeNotice.signal;
  }

  send(type: string, body: object): boolean {
    const payload = this.#context.writer.message(type, body);
    return this.state === 'open' && this.#socket.send(payload);
  }

  close(code = 1000, reason = ''): void {
    if (!isSendableCloseCode(code)) throw new RangeError(`${code} is not a close code that may be sent.`);
    this.ending.close(code, closeReason(reason));
  }

  terminate(): void {
    this.#socket.terminate();
  }

  receive(data: Uint8Array | string, isBinary: boolean): void {
    if (this.state !== 'open') return;
    const bytes = typeof data === 'string' ? Buffer.byteLength(data) : data.byteLength;
    this.#liveness.message(bytes);
    this.#intake ??= new Intake(this);
    this.#intake.receive(data, isBinary, bytes);
  }

  control(bytes: number): void {
    if (this.state !== 'open') return;
    const { clock, controls } = this.#context;
    this.#liveness.control(bytes);
    const spent = spend(this.#controls, clock.monotonic(), controls);
    if (spent < 0) this.denials.flooded('limits.controls');
    else this.#controls = spent;
  }

  mayBuffer(bytes: number, waiting: number, part = false): boolean {
    if (bytes + waiting <= this.#context.buffered) return true;
    // In the state `closing`, the connection is ending already.
    if (this.state === 'open') this.denials.slowConsumer(part);
    return false;
  }

  broken(reason: Reason | undefined): void {
    if (this.state === 'closed') return;
    if (reason !== undefined) this.denials.brokenFrame(reason);
    this.ending.broken(reason);
  }

  fault(error: unknown): void {
    this.#context.events.fault('dispatch', error);
    this.end('internal');
  }

  closed(code: number): void {
    if (this.state !== 'closed') this.ending.closed(code, this.#closeNotice);
  }

  /** Sends a message that was serialized and framed once for many connections. */
  sendFramed(message: FramedMessage): boolean {
    return this.state === 'open' && this.#socket.sendFramed(message);
  }

  end(reason: Reason): void {
    this.ending.end(reason);
  }

  /** Ends the connection in favour of a newer one, and releases its slots at once. */
  replace(): void {
    this.end('replaced');
    this.#lease.release();
  }

  /** Called in a shutdown. Ends the connection with `shutting_down` when every message that was received is handled and answered. */
  retire(): void {
    this.#intake ??= new Intake(this);
    this.#intake.retire();
  }

  /** Called near the end of a shutdown. Answers the messages that wait, and those to come, instead of handling them. */
  dismiss(): void {
    this.#intake?.dismiss();
  }

  /** Called about once a second. Pings the peer, sends a notice or ends the connection, as is due. */
  tick(now: number, monotonic: number, passed: Passed): void {
    const due = this.#liveness.tick(this.#socket, this.#context.liveness, passed);
    if (this.state !== 'open') {
      // Do not wait for the close frame of a peer that keeps flooding.
      if (due === 'message_rate') this.#socket.terminate();
      return;
    }
    this.#term.tick(now, monotonic);
    if (this.state !== 'open' || due === undefined) return;
    if (due === 'ping') this.#socket.ping();
    else if (due === 'message_rate') this.denials.flooded('bytes that belong to no message');
    else this.end(due);
  }

  reported(denial: Denial, pointer?: string): void {
    this.denials.report(denial, pointer);
  }

  checkFrame(bytes: number): Denial | undefined {
    return this.#context.checkFrame(this, bytes, this.#context.clock.monotonic());
  }

  handle(data: Uint8Array | string, isBinary: boolean): MaybePromise<unknown> {
    const inspection = this.#context.inspectMessage(this, data, isBinary);
    return isPromise(inspection)
      ? settled(inspection).then((late) => this.#dispatch(late, data, isBinary))
      : this.#dispatch(inspection, data, isBinary);
  }

  finished(): void {
    this.end('shutting_down');
  }

  stopIntake(): void {
    this.#intake?.close();
  }

  giveBack(reason: Reason | undefined): void {
    this.#lease.release();
    this.#context.closed(this, reason);
  }

  offence(): void {
    this.#context.offence(this);
  }

  answer(reason: Reason, pointer: string | undefined, to: Addressee, wait?: number): void {
    this.notify((writer) => writer.error(reason, pointer, to, wait));
  }

  adopt(identity: Identity): void {
    this.#identity = identity;
    this.#term.renew();
  }

  notify(write: (writer: Writer) => Payload | undefined): void {
    if (this.state !== 'open') return;
    try {
      const payload = write(this.#context.writer);
      if (payload !== undefined) this.#socket.send(payload);
    } catch (error) {
      // If the codec cannot write this message, it could not write an error reply either. So the connection closes.
      this.fault(error);
    }
  }

  facts(): Facts<ConnectionFacts> {
    return { connection: this.id, subject: this.identity.subject, address: this.address, path: this.path };
  }

  toJSON(): object {
    return summaryOf(this, this.#context.clock);
  }

  #dispatch(inspection: Inspection, data: Uint8Array | string, isBinary: boolean): MaybePromise<unknown> {
    // Report the fault even if the connection has ended in the meantime.
    if ('fault' in inspection) return failDelivery(this, inspection.fault, inspection.to);
    if (this.state !== 'open' || this.#intake?.turnsAway(inspection) === true) return undefined;
    if ('incoming' in inspection) return deliver(this, inspection, data, isBinary);
    if ('renewal' in inspection) return renew(this, this.#context, inspection.renewal);
    return this.#intake?.denyOrPostpone(inspection, data, isBinary);
  }
}
