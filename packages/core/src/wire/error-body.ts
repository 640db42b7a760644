import { reasons } from '../vocabulary/reasons.ts';
import type { SchemaNode } from './envelope.ts';

/** The reasons that a client can be told after the 101. */
export const errorCode: SchemaNode = {
  type: 'string',
  enum: Object.entries(reasons).flatMap(([reason, { close }]) => (close === undefined ? [] : [reason])),
};

/** As the header `Retry-After` (RFC 9110 §10.2.3). */
export const errorRetryAfter: SchemaNode = {
  type: 'integer',
  minimum: 1,
  description: 'Seconds after which a retry makes sense, if known.',
};

export const errorPath: SchemaNode = {
  type: 'string',
  description: 'Where in the body, as a JSON Pointer (RFC 6901).',
};
