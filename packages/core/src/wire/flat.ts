import type { Envelope } from './envelope.ts';
import { errorCode, errorPath, errorRetryAfter } from './error-body.ts';
import { Incoming, isRecord } from './incoming.ts';

/** `{ "type": "say", "text": … }`: the type is one of the body's properties. There are no ids. */
export const flat: Envelope = {
  mergesType: true,
  open: (value) => (isRecord(value) ? new Incoming(value.type, value, value, undefined, 0) : undefined),
  // A schema of another library may remove the type.
  rewrite: ({ type, body }) => (isRecord(body) && !Object.hasOwn(body, 'type') ? { type, ...body } : body),
  notice: (type, body) => ({ ...(body as object), type }),
  answer: (_id, type, body) => (type === undefined ? undefined : { ...(body as object), type }),
  error: (_to, error) => ({ type: 'error', ...error }),
  describe: (_type, { schema }) => schema,
  describeNotice: (_type, { schema }) => schema,
  describeAnswer: () => undefined,
  describeError: () => ({
    type: 'object',
    properties: {
      type: { const: 'error' },
      code: errorCode,
      path: errorPath,
      message: { type: 'string' },
      retryAfter: errorRetryAfter,
    },
    required: ['type', 'code', 'message'],
    additionalProperties: false,
  }),
};
