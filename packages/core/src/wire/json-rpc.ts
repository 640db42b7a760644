import type { Reason } from '../vocabulary/reasons.ts';
import type { BodyDocument, Envelope, SchemaNode } from './envelope.ts';
import { errorCode, errorPath, errorRetryAfter } from './error-body.ts';
import { type Addressee, Incoming, isRecord, type MessageId, UNADDRESSED, UNREAD } from './incoming.ts';
import { describeType, isMessageId, messageId } from './message-id.ts';

/** JSON-RPC 2.0 §5.1. A reason without a code of its own has the server's code, with the reason in `data`. */
const CODES: Partial<Record<Reason, number>> = {
  message_malformed: -32600,
  message_type_unknown: -32601,
  message_invalid: -32602,
  internal: -32603,
};
const PARSE_ERROR = -32700;
const SERVER_ERROR = -32000;
const VERSION: SchemaNode = { const: '2.0' };
const PARAMS: SchemaNode = { type: ['object', 'array'] };

/**
 * JSON-RPC 2.0: the type is the method, and the body its params (`{}` if absent). A call without an id is a
 * notification, which is never answered, not even with an error. Batches, an id of `null` and answers from a client
 * are refused.
 */
export const jsonRpc: Envelope = {
  mergesType: false,
  open(value) {
    if (!isRecord(value) || value.jsonrpc !== '2.0') return undefined;
    const { method, params = {}, id } = value;
    let keys = 0;
    for (const key of Object.keys(value)) {
      if (key !== 'jsonrpc' && key !== 'method' && key !== 'params' && key !== 'id') return undefined;
      keys++;
    }
    if (typeof method !== 'string' || !(isRecord(params) || Array.isArray(params))) return undefined;
    if (id !== undefined && !isMessageId(id)) return undefined;
    return new Incoming(method, params, value, id, keys);
  },
  rewrite: ({ value, body }) => ({ ...value, params: body }),
  notice: (method, params) => ({ jsonrpc: '2.0', method, params }),
  answer(id: MessageId | undefined, method, body) {
    if (id === undefined) return method === undefined ? undefined : jsonRpc.notice(method, body);
    return { jsonrpc: '2.0', id, result: body ?? null };
  },
  error(to: Addressee, { message, ...data }) {
    if (to === undefined) return undefined;
    const number = to === UNREAD ? PARSE_ERROR : (CODES[data.code] ?? SERVER_ERROR);
    const id = to === UNREAD || to === UNADDRESSED ? null : to;
    return { jsonrpc: '2.0', id, error: { code: number, message, data } };
  },
  describe: (method, params) => call(method, params, { id: messageId }),
  describeNotice: (method, params) => call(method, params, {}),
  describeAnswer: () => ({
    type: 'object',
    properties: { jsonrpc: VERSION, id: messageId, result: {} },
    required: ['jsonrpc', 'id', 'result'],
    additionalProperties: false,
  }),
  describeError: (): SchemaNode => ({
    type: 'object',
    properties: {
      jsonrpc: VERSION,
      id: { ...messageId, type: ['string', 'integer', 'null'] },
      error: {
        type: 'object',
        properties: {
          code: { type: 'integer' },
          message: { type: 'string' },
          data: {
            type: 'object',
            properties: { code: errorCode, path: errorPath, retryAfter: errorRetryAfter },
            required: ['code'],
            additionalProperties: false,
          },
        },
        required: ['code', 'message', 'data'],
        additionalProperties: false,
      },
    },
    required: ['jsonrpc', 'id', 'error'],
    additionalProperties: false,
  }),
};

function call(method: string | undefined, { schema, optional }: BodyDocument, id: SchemaNode): SchemaNode {
  return {
    type: 'object',
    properties: { jsonrpc: VERSION, method: describeType(method), params: { ...PARAMS, ...schema }, ...id },
    required: optional ? ['jsonrpc', 'method'] : ['jsonrpc', 'method', 'params'],
    additionalProperties: false,
  };
}
