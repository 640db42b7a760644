import type { Envelope } from './envelope.ts';
import { errorCode, errorPath, errorRetryAfter } from './error-body.ts';
import { Incoming, isRecord } from './incoming.ts';
import { describeType, isMessageId, messageId } from './message-id.ts';

/** `{ "type": "say", "data": …, "id": … }` without other keys. Without `data`, the body is `{}`. */
export const nested: Envelope = {
  mergesType: false,
  open(value) {
    if (!isRecord(value)) return undefined;
    const { type, data = {}, id } = value;
    let keys = 0;
    for (const key of Object.keys(value)) {
      if (key !== 'type' && key !== 'data' && key !== 'id') return undefined;
      keys++;
    }
    if (typeof type !== 'string' || (id !== undefined && !isMessageId(id))) return undefined;
    return new Incoming(type, data, value, id, keys);
  },
  rewrite: ({ value, body }) => ({ ...value, data: body }),
  notice: (type, data) => ({ type, data }),
  answer(id, type, data) {
    if (type === undefined) return undefined;
    return id === undefined ? { type, data } : { type, id, data };
  },
  error: (to, data) => (isMessageId(to) ? { type: 'error', id: to, data } : { type: 'error', data }),
  describe: (type, { schema, optional }) => ({
    type: 'object',
    properties: { type: describeType(type), id: messageId, data: schema },
    required: optional ? ['type'] : ['type', 'data'],
    additionalProperties: false,
  }),
  describeNotice: (type, body) => nested.describe(type, body),
  describeAnswer: () => undefined,
  describeError: () => ({
    type: 'object',
    properties: {
      type: { const: 'error' },
      id: messageId,
      data: {
        type: 'object',
        properties: {
          code: errorCode,
          path: errorPath,
          message: { type: 'string' },
          retryAfter: errorRetryAfter,
        },
        required: ['code', 'message'],
        additionalProperties: false,
      },
    },
    required: ['type', 'data'],
    additionalProperties: false,
  }),
};
