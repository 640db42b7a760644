import type { Reason } from '../vocabulary/reasons.ts';
import type { Addressee, Incoming, MessageId } from './incoming.ts';

/** A JSON Schema or a part of one. */
export type SchemaNode = { [keyword: string]: unknown };

interface ErrorBody {
  readonly code: Reason;
  /** A JSON Pointer (RFC 6901) into the body. */
  readonly path?: string;
  readonly message: string;
  /** Seconds after which a retry makes sense. */
  readonly retryAfter?: number;
}

/** A body's schema, for documents. */
export interface BodyDocument {
  /** Includes the type if the envelope merges it into the body. */
  readonly schema: SchemaNode;
  /** Whether a message without a body passes, as one with an empty body. */
  readonly optional: boolean;
}

/** How type, body and id of a message form one value. */
export interface Envelope {
  /** Whether the type is one of the body's properties, so that the body must be an object. */
  readonly mergesType: boolean;
  /** `undefined` if the value is no message in this envelope. */
  open(value: unknown): Incoming | undefined;
  /** The received value with the present body. */
  rewrite(incoming: Incoming): unknown;
  /** A message that answers no request. */
  notice(type: string, body: unknown): unknown;
  /** The answer to a request. Without an id it is a message like any other. */
  answer(id: MessageId | undefined, type: string | undefined, body: unknown): unknown;
  /** The report of a denial; `undefined` if the sender wants no answer. */
  error(to: Addressee, error: ErrorBody): unknown;
  /** The JSON Schema of a client's message. Without a type: of every type. */
  describe(type: string | undefined, body: BodyDocument): SchemaNode;
  /** The JSON Schema of a server's message that has a type. */
  describeNotice(type: string | undefined, body: BodyDocument): SchemaNode;
  /** The JSON Schema of an answer that has an id but no type; `undefined` if every answer has a type. */
  describeAnswer(): SchemaNode | undefined;
  describeError(): SchemaNode;
}
