import type { MessageLedger } from '../limits/message-ledger.ts';
import type { Writer } from '../outbound/writer.ts';
import { isPromise, type MaybePromise } from '../vocabulary/decision.ts';
import type { EventHub } from '../vocabulary/events.ts';
import type { Socket } from '../vocabulary/ports.ts';
import type { Reason } from '../vocabulary/reasons.ts';
import { textOf } from '../wire/codec.ts';
import { type Addressee, type Incoming, UNADDRESSED } from '../wire/incoming.ts';
import type { PassedMessage } from '../wire/inspection.ts';

type Run = (message: never, connection: never) => unknown;

/** What `connection.on` was given after the type. */
export type OnArguments = [run: Run] | [reply: string, run: Run];

export interface Handler {
  /** What a returned value is sent as. */
  readonly reply: string | undefined;
  readonly run: Run;
}

export interface DeliveryContext {
  readonly events: EventHub;
  readonly writer: Writer;
  /** Whether the policy knows the message type. */
  knows(type: string): boolean;
  /** Whether a handler that fails is answered with `internal`, or closes. */
  readonly onFault: 'reply' | 'close';
}

/** The connection whose messages are delivered. Handlers get it. */
export interface DeliveryOwner {
  readonly context: DeliveryContext;
  readonly socket: Socket;
  readonly state: 'open' | 'closing' | 'closed';
  readonly ledger: MessageLedger;
  /** By message type. */
  handlers: Map<string, Handler> | undefined;
  end(reason: Reason): void;
  /** Tells the client of a denial. */
  answer(reason: Reason, pointer: string | undefined, to: Addressee): void;
}

/** @throws TypeError for a type that the policy does not know, or that has a handler already. */
export function addHandler(connection: DeliveryOwner, type: string, rest: OnArguments): void {
  const [reply, run] = rest.length === 1 ? [undefined, rest[0]] : rest;
  if (!connection.context.knows(type)) throw new TypeError(`There is no message '${type}' in the policy.`);
  connection.handlers ??= new Map();
  if (connection.handlers.has(type)) throw new TypeError(`The message '${type}' has a handler already.`);
  connection.handlers.set(type, { reply, run });
}

/**
 * Hands a message that has passed to its handlers, and answers it with what they return: the typed handler first, then the
 * listeners that were written for the bare library.
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
    // Before the handler, which may change what it gets.
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

/** Checking a message, or handling it, has thrown or rejected. */
export function failDelivery(connection: DeliveryOwner, error: unknown, to: Addressee): void {
  const { events, onFault } = connection.context;
  events.fault('dispatch', error);
  if (onFault === 'close') connection.end('internal');
  else connection.answer('internal', undefined, to);
}

/**
 * A message of an opaque protocol: the next one does not wait for its listeners. A promise of theirs may last as long
 * as an operation of that protocol, which a later message ends, and the bare library waits for none.
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

/** Rejects where `deliver` throws. */
async function deliverBytes(socket: Socket, data: Uint8Array | string, isBinary: boolean): Promise<unknown> {
  return socket.deliver(data, isBinary);
}

/** What came, or what stripping and sanitizing have left of it, in the form in which it came. */
function bytesOf(
  { context }: DeliveryOwner,
  incoming: Incoming,
  data: Uint8Array | string,
): Uint8Array | string {
  if (!incoming.changed) return data;
  const payload = context.writer.rewrite(incoming);
  if (typeof data === 'string') return textOf(payload);
  if (typeof payload === 'string') return Buffer.from(payload);
  // A codec makes a plain `Uint8Array`, whose `toString` is not what a listener of ws knows.
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
