import { type EnvelopeName, type Reason, reasons } from '@sallyport/core';
import { isMap } from './bounds.ts';

/** What an answer refers to: an id, no id, or a message whose id could not be read. */
export type Ids = { readonly of: string | number } | undefined | 'unread' | 'unaddressed';

/** A message without its envelope. */
export interface Opened {
  readonly type: unknown;
  readonly id: { readonly of: string | number } | undefined;
  readonly body: unknown;
}

/** How to open each envelope; `undefined` if the value is no message in it. */
export const openers: Readonly<Record<EnvelopeName, (value: unknown) => Opened | undefined>> = {
  flat(value) {
    if (!isMap(value)) return undefined;
    const { type, ...body } = value;
    return { type, id: undefined, body };
  },
  nested(value) {
    if (!isMap(value) || !hasOnly(value, ['type', 'data', 'id'])) return undefined;
    if (typeof value.type !== 'string' || !hasGoodId(value)) return undefined;
    return { type: value.type, id: idOf(value), body: 'data' in value ? value.data : {} };
  },
  // JSON-RPC 2.0 §4, with the ids that the guard allows.
  'json-rpc'(value) {
    if (!isMap(value) || !hasOnly(value, ['jsonrpc', 'method', 'params', 'id'])) return undefined;
    if (value.jsonrpc !== '2.0' || typeof value.method !== 'string' || !hasGoodId(value)) return undefined;
    const body = 'params' in value ? value.params : {};
    if (!(isMap(body) || Array.isArray(body))) return undefined;
    return { type: value.method, id: idOf(value), body };
  },
};

type Members = Readonly<Record<string, unknown>>;

function hasOnly(value: Members, names: readonly string[]): boolean {
  return Object.getOwnPropertyNames(value).every((name) => names.includes(name));
}

function hasGoodId(value: Members): boolean {
  const { id } = value;
  if (!('id' in value)) return true;
  return typeof id === 'string' ? id.length <= 64 : typeof id === 'number' && Number.isSafeInteger(id);
}

function idOf(value: Members): { readonly of: string | number } | undefined {
  return 'id' in value ? { of: value.id as string | number } : undefined;
}

/** JSON-RPC 2.0 §5.1. */
const CODES: Partial<Record<Reason, number>> = {
  message_malformed: -32600,
  message_type_unknown: -32601,
  message_invalid: -32602,
};

/** Whether a refusal is answered: a JSON-RPC notification never is (§4.1). */
export function isAnswered(envelope: EnvelopeName, id: Ids): boolean {
  // A message that could not be read may have been a request.
  return envelope !== 'json-rpc' || id !== undefined;
}

/** The answer to a refused message, with its pointer if it has one. */
export function refusalIn(envelope: EnvelopeName, code: Reason, id: Ids, path: string | undefined): unknown {
  const { text: message } = reasons[code];
  const data = path === undefined ? { code } : { code, path };
  const own = typeof id === 'object' ? { id: id.of } : {};
  if (envelope === 'flat') return { type: 'error', ...data, message };
  if (envelope === 'nested') return { type: 'error', ...own, data: { ...data, message } };
  const number = id === 'unread' ? -32700 : (CODES[code] ?? -32000);
  return { jsonrpc: '2.0', id: null, ...own, error: { code: number, message, data } };
}

/** The answer if a handler returned nothing: only a JSON-RPC request gets one. */
export function resultIn(envelope: EnvelopeName, id: Ids): unknown {
  if (envelope !== 'json-rpc' || typeof id !== 'object') return undefined;
  return { jsonrpc: '2.0', id: id.of, result: null };
}

/** The answer if a handler returned a body for the reply `type`. */
export function replyIn(envelope: EnvelopeName, id: Ids, type: string, body: object): unknown {
  const own = typeof id === 'object' ? { id: id.of } : {};
  if (envelope === 'flat') return { type, ...body };
  if (envelope === 'nested') return { type, ...own, data: body };
  return typeof id === 'object'
    ? { jsonrpc: '2.0', ...own, result: body }
    : { jsonrpc: '2.0', method: type, params: body };
}

/** The pointer in an error reply of any envelope. */
export function pathIn(answer: unknown): unknown {
  const { path, data, error } = answer as {
    path?: unknown;
    data?: { path?: unknown };
    error?: { data?: { path?: unknown } };
  };
  return path ?? data?.path ?? error?.data?.path;
}
