import type { SchemaNode } from './envelope.ts';
import type { MessageId } from './incoming.ts';

/** Bounded, because ids are sent back. */
const MAX_ID_LENGTH = 64;

/** A text of at most 64 characters, or a whole number that JSON carries exactly (RFC 7493 §2.2). */
export function isMessageId(id: unknown): id is MessageId {
  return typeof id === 'string' ? id.length <= MAX_ID_LENGTH : Number.isSafeInteger(id);
}

export const messageId: SchemaNode = {
  type: ['string', 'integer'],
  maxLength: MAX_ID_LENGTH,
  minimum: Number.MIN_SAFE_INTEGER,
  maximum: Number.MAX_SAFE_INTEGER,
};

export function describeType(type: string | undefined): SchemaNode {
  return type === undefined ? { type: 'string' } : { const: type };
}
