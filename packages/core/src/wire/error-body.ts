import { reasons } from '../vocabulary/reasons.ts';
import type { SchemaNode } from './envelope.ts';

/** The reasons that a client can be told after the 101. */
export const errorCode: SchemaNode = {
  type: 'string',
  enum: Object.entries(reasons).flatMap(([reason, { close }]) => (close === undefined ? [] : [reason])),
};

export const errorPath: SchemaNode = {
  type: 'string',
  description: 'Where in the body, as a JSON Pointer (RFC 6901).',
};
