import { type EnvelopeName, type Reason, reasons } from '@sallyport/core';
import { isMap } from './bounds.ts';

/** Whom an answer is for: an id, nobody in particular, or the sender of something that no id could be read from. */
export type Ids = { readonly of: string | number } | undefined | 'unread' | 'unaddressed';

/** A message out of its envelope. */
export interface Opened {
  readonly type: unknown;
  readonly id: { readonly of: string | number } | undefined;
  readonly body: unknown;
}

/** How each envelope is opened; `undefined` for what is no message in it. */
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
  // JSON-RPC 2.0 §4; ids as the policy narrows them.
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

/** Whether a refusal is told: a notification of JSON-RPC is never answered (§4.1). */
export function isAnswered(envelope: EnvelopeName, id: Ids): boolean {
  // What could not be read as a notification might have been none.
  return envelope !== 'json-rpc' || id !== undefined;
}

/** The one answer that a refused message gets, with this pointer where it has one. */
export function refusalIn(envelope: EnvelopeName, code: Reason, id: Ids, path: string | undefined): unknown {
  const { text: message } = reasons[code];
  const data = path === undefined ? { code } : { code, path };
  const own = typeof id === 'object' ? { id: id.of } : {};
  if (envelope === 'flat') return { type: 'error', ...data, message };
  if (envelope === 'nested') return { type: 'error', ...own, data: { ...data, message } };
  const number = id === 'unread' ? -32700 : (CODES[code] ?? -32000);
  return { jsonrpc: '2.0', id: null, ...own, error: { code: number, message, data } };
}

/** What is answered where a handler returned nothing: a JSON-RPC request has to be. */
export function resultIn(envelope: EnvelopeName, id: Ids): unknown {
  if (envelope !== 'json-rpc' || typeof id !== 'object') return undefined;
  return { jsonrpc: '2.0', id: id.of, result: null };
}

/** What is answered where a handler returned a body for the reply `type`. */
export function replyIn(envelope: EnvelopeName, id: Ids, type: string, body: object): unknown {
  const own = typeof id === 'object' ? { id: id.of } : {};
  if (envelope === 'flat') return { type, ...body };
  if (envelope === 'nested') return { type, ...own, data: body };
  return typeof id === 'object'
    ? { jsonrpc: '2.0', ...own, result: body }
    : { jsonrpc: '2.0', method: type, params: body };
}

/** The pointer in a refusal, wherever its envelope has it. */
export function pathIn(answer: unknown): unknown {
  const { path, data, error } = answer as {
    path?: unknown;
    data?: { path?: unknown };
    error?: { data?: { path?: unknown } };
  };
  return path ?? data?.path ?? error?.data?.path;
}
