import type { Reason } from '../vocabulary/reasons.ts';
import type { Addressee, Incoming, MessageId } from './incoming.ts';

/** A JSON Schema, or a part of one. */
export type SchemaNode = { [keyword: string]: unknown };

/** What a client is told of a denial. */
interface ErrorBody {
  readonly code: Reason;
  /** Where in the body, as a JSON Pointer (RFC 6901). */
  readonly path?: string;
  readonly message: string;
}

/** What is known of a body, for documents. */
export interface BodyDocument {
  /** With the type among its properties, where the envelope merges them. */
  readonly schema: SchemaNode;
  /** Whether a message without a body is taken for one with an empty body, and passes. */
  readonly optional: boolean;
}

/** How a message's type, body and id are put into one value. */
export interface Envelope {
  /** Whether the type stands among the properties of the body, so that the body has to be an object. */
  readonly mergesType: boolean;
  /** Takes a message out of its envelope; `undefined` for what is none. */
  open(value: unknown): Incoming | undefined;
  /** The value as it came, with the body that is handed on. */
  rewrite(incoming: Incoming): unknown;
  /** A message that answers no request. */
  notice(type: string, body: unknown): unknown;
  /** The answer to a request; to one without an id, a message of its own. */
  answer(id: MessageId | undefined, type: string | undefined, body: unknown): unknown;
  /** Tells of a denial; `undefined` where the sender asked not to be answered. */
  error(to: Addressee, error: ErrorBody): unknown;
  /** The JSON Schema of a message that a client sends, for documents. Without a type it may be of any. */
  describe(type: string | undefined, body: BodyDocument): SchemaNode;
  /** The JSON Schema of a message that the server sends, by itself or as an answer that has a type. */
  describeNotice(type: string | undefined, body: BodyDocument): SchemaNode;
  /** The JSON Schema of an answer that only an id tells from others; `undefined` where every answer has a type. */
  describeAnswer(): SchemaNode | undefined;
  /** The JSON Schema of a denial, for documents. */
  describeError(): SchemaNode;
}
