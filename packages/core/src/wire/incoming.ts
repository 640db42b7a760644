/** Connects an answer with its request. */
export type MessageId = string | number;

/** The message could not be read. */
export const UNREAD: unique symbol = Symbol('unread');
/** The message has no valid envelope, or the error is about no single message. */
export const UNADDRESSED: unique symbol = Symbol('unaddressed');

/** A request's id, or `undefined` if its sender wants no answer by id. */
export type Addressee = MessageId | undefined | typeof UNREAD | typeof UNADDRESSED;

/** One message without its envelope, on its way through the stages. */
export class Incoming {
  /** Whether the body differs from what was received, so that the bytes must be written anew. */
  changed = false;
  /** The JSON text that it was parsed from. */
  text: string | undefined;
  /** How many keys a codec has read, where it has told. */
  keysRead: number | undefined;

  constructor(
    /** Not yet looked up in the policy: any value. */
    readonly type: unknown,
    /** Replaced by the stripped and sanitized body. */
    public body: unknown,
    /** The whole received value. */
    readonly value: object,
    readonly id: MessageId | undefined,
    /** How many keys the envelope has around the body. */
    readonly envelopeKeys: number,
  ) {}
}

/** Whether it is an object, and neither an array nor bytes. */
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
