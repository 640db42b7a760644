import type { MessageLedger } from '../limits/message-ledger.ts';
import type { Writer } from '../outbound/writer.ts';
import { isPromise, type MaybePromise } from '../vocabulary/decision.ts';
import type { EventHub } from '../vocabulary/events.ts';
import { requireListener } from '../vocabulary/option-checks.ts';
import type { Socket } from '../vocabulary/ports.ts';
import type { Reason } from '../vocabulary/reasons.ts';
import { textOf } from '../wire/codec.ts';
import { type Addressee, type Incoming, UNADDRESSED } from '../wire/incoming.ts';
import type { PassedMessage } from '../wire/inspection.ts';

type Run = (message: never, connection: never) => unknown;

/** A handler that `connection.on` was given, and the reply that it answers with. */
export type OnArguments = [run: Run] | [reply: string, run: Run];

export interface Handler {
  /** The name of the reply as which a returned value is sent. */
  readonly reply: string | undefined;
  readonly run: Run;
}

export interface DeliveryContext {
  readonly events: EventHub;
  readonly writer: Writer;
  /** Whether the policy knows the message type. */
  knows(type: string): boolean;
  /** Whether a failing handler is answered with `internal`, or closes the connection. */
  readonly onFault: 'reply' | 'close';
}

/** The connection whose messages are delivered. Handlers get it as their second argument. */
export interface DeliveryOwner {
  readonly context: DeliveryContext;
  readonly socket: Socket;
  readonly state: 'open' | 'closing' | 'closed';
  readonly ledger: MessageLedger;
  /** The handlers by message type. */
  handlers: Map<string, Handler> | undefined;
  end(reason: Reason): void;
  /** Sends the client an error reply. */
  answer(reason: Reason, pointer: string | undefined, to: Addressee): void;
}

/** @throws TypeError for a type that the policy does not know, or that has a handler already. */
export function addHandler(connection: DeliveryOwner, type: string, rest: OnArguments): void {
  const [reply, run] = rest.length === 1 ? [undefined, rest[0]] : rest;
  if (!connection.context.knows(type)) throw new TypeError(`There is no message '${type}' in the policy.`);
  requireListener(run, `on('${type}', …)`);
  connection.handlers ??= new Map();
  if (connection.handlers.has(type)) throw new TypeError(`The message '${type}' has a handler already.`);
  connection.handlers.set(type, { reply, run });
}

/**
 * Gives a message that has passed every check to its handlers, and answers it with what they return: first the typed handler,
 * then the `message` listeners of the bare library.
 */
export function deliver(
  connection: DeliveryOwner,
  passed: PassedMessage,
  data: Uint8Array | string,
  isBinary: boolean,
): MaybePromise<unknown> {
  const { incoming, type } = passed;
  const { socket, handlers } = connection;
  try {
    if (type === undefined) return deliverOpaque(connection, data, isBinary);
    const handler = handlers?.get(type.name);
    // Written before the handler runs, because the handler may change the body.
    const bytes = socket.listens() ? bytesOf(connection, incoming, data) : undefined;
    const answer = handler?.run(incoming.body as never, connection as never);
    if (isPromise(answer)) return deliverLater(connection, passed, handler, answer, bytes, isBinary);
    const delivered = bytes === undefined ? undefined : socket.deliver(bytes, isBinary);
    if (isPromise(delivered)) return deliverLater(connection, passed, handler, answer, delivered);
    answerMessage(connection, passed, handler, answer);
  } catch (error) {
    failDelivery(connection, error, incoming.id);
  }
  return undefined;
}

/** Reports an error that was thrown while a message was checked or handled, and answers or closes. */
export function failDelivery(connection: DeliveryOwner, error: unknown, to: Addressee): void {
  const { events, onFault } = connection.context;
  events.fault('dispatch', error);
  if (onFault === 'close') connection.end('internal');
  else connection.answer('internal', undefined, to);
}

/**
 * Delivers a message of an opaque protocol. The next message does not wait for a listener's promise, which may last as long
 * as an operation that only a later message ends. The bare library does not wait either.
 */
function deliverOpaque(connection: DeliveryOwner, data: Uint8Array | string, isBinary: boolean): undefined {
  const { socket } = connection;
  const result = socket.listens() ? socket.deliver(data, isBinary) : undefined;
  if (isPromise(result)) result.then(undefined, (error) => failDelivery(connection, error, UNADDRESSED));
}

async function deliverLater(
  connection: DeliveryOwner,
  passed: PassedMessage,
  handler: Handler | undefined,
  answer: unknown,
  rest: Uint8Array | string | undefined | Promise<unknown>,
  isBinary = false,
): Promise<void> {
  try {
    // Both are awaited together: if both reject, neither rejection is left unhandled.
    const others =
      isPromise(rest) || rest === undefined ? rest : deliverBytes(connection.socket, rest, isBinary);
    const [late] = await Promise.all([answer, others]);
    answerMessage(connection, passed, handler, late);
  } catch (error) {
    failDelivery(connection, error, passed.incoming.id);
  }
}

/** Turns an exception of `deliver` into a rejection. */
async function deliverBytes(socket: Socket, data: Uint8Array | string, isBinary: boolean): Promise<unknown> {
  return socket.deliver(data, isBinary);
}

/** The message as it came, or as stripping and sanitizing left it: text if it came as text, otherwise bytes. */
function bytesOf(
  { context }: DeliveryOwner,
  incoming: Incoming,
  data: Uint8Array | string,
): Uint8Array | string {
  if (!incoming.changed) return data;
  const payload = context.writer.rewrite(incoming);
  if (typeof data === 'string') return textOf(payload);
  if (typeof payload === 'string') return Buffer.from(payload);
  // Listeners of ws expect a `Buffer`; the `toString` of a codec's plain `Uint8Array` does not decode.
  return Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
}

function answerMessage(
  connection: DeliveryOwner,
  { incoming, type }: PassedMessage,
  handler: Handler | undefined,
  answer: unknown,
): void {
  const { id } = incoming;
  const { context, ledger } = connection;
  const answers = handler !== undefined && (handler.reply !== undefined || id !== undefined);
  const payload = answers ? context.writer.answer(id, handler.reply, answer) : undefined;
  if (type?.isStep === true) {
    ledger.steps ??= new Set();
    ledger.steps.add(type.name);
  }
  if (payload !== undefined && connection.state === 'open') connection.socket.send(payload);
}
