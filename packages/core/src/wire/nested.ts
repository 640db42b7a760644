import type { Envelope } from './envelope.ts';
import { Incoming, isRecord } from './incoming.ts';
import { isMessageId, messageId } from './message-id.ts';

/** `{ "type": "say", "data": …, "id": … }`, and nothing else beside them. Without `data` the body is `{}`. */
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
  describe: (type, data) => ({
    type: 'object',
    properties: { type: { const: type }, id: messageId, data },
    required: ['type', 'data'],
    additionalProperties: false,
  }),
  describeError: () => ({
    type: 'object',
    properties: {
      type: { const: 'error' },
      id: messageId,
      data: {
        type: 'object',
        properties: { code: { type: 'string' }, path: { type: 'string' }, message: { type: 'string' } },
        required: ['code', 'message'],
        additionalProperties: false,
      },
    },
    required: ['type', 'data'],
    additionalProperties: false,
  }),
};
