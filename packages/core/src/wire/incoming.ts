/** What correlates an answer with its request, where the envelope has that. */
export type MessageId = string | number;

/** For an error about a message that could not be read at all. */
export const UNREAD: unique symbol = Symbol('unread');
/** For an error about a message that could be read, but is none in this envelope; or about no message in particular. */
export const UNADDRESSED: unique symbol = Symbol('unaddressed');

/** What an answer is to: a request's id, `undefined` where its sender wants no answer by id. */
export type Addressee = MessageId | undefined | typeof UNREAD | typeof UNADDRESSED;

/** One message out of its envelope, on its way through the stages. */
export class Incoming {
  /** Whether the body differs from what came, so that those who want the bytes get new ones. */
  changed = false;
  /** The text that the value was read from, where it was JSON. */
  text: string | undefined;
  /** How many keys a codec has read, where it has told. */
  keysRead: number | undefined;

  constructor(
    /** Looked up in the policy; anything, as the sender wrote it. */
    readonly type: unknown,
    /** What the schema is about; replaced by what stripping and sanitizing leave of it. */
    public body: unknown,
    /** The whole value that came. */
    readonly value: object,
    readonly id: MessageId | undefined,
    /** How many keys the envelope itself has around the body. */
    readonly envelopeKeys: number,
  ) {}
}

/** What is neither an array nor `null` nor a bare value, of which bytes are one. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
  );
}

/** A record of no class, whichever realm it is of. */
export function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (!isRecord(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
