import type { EnvelopeName } from '@sallyport/core';

/** An error reply: the reason, and the id of the message that it answers. */
interface ToldError {
  readonly code: string;
  readonly path?: string;
  readonly id?: string | number | null;
}

/** How a client writes messages and reads errors in an envelope. */
export interface ClientEnvelope {
  readonly name: EnvelopeName;
  /** Whether messages have ids, which answers repeat. */
  readonly hasIds: boolean;
  /** A message without an id needs no answer. */
  write(type: unknown, body: object, id?: unknown): object;
  /** `undefined` if the message is no error. */
  errorOf(text: string): ToldError | undefined;
}

interface FlatError {
  readonly type: string;
  readonly code: string;
  readonly path?: string;
}
interface NestedError {
  readonly type: string;
  readonly id?: string;
  readonly data: Omit<FlatError, 'type'>;
}
interface RpcError {
  readonly id: string | null;
  readonly error?: { readonly data: Omit<FlatError, 'type'> };
}

const told = ({ code, path }: Omit<FlatError, 'type'>, id?: string | null): ToldError => ({
  code,
  ...(path !== undefined && { path }),
  ...(id !== undefined && { id }),
});

export const envelopes: readonly ClientEnvelope[] = [
  {
    name: 'flat',
    hasIds: false,
    write: (type, body) => ({ type, ...body }),
    errorOf(text) {
      const error = JSON.parse(text) as FlatError;
      return error.type === 'error' ? told(error) : undefined;
    },
  },
  {
    name: 'nested',
    hasIds: true,
    write: (type, data, id) => ({ type, data, ...(id !== undefined && { id }) }),
    errorOf(text) {
      const { type, id, data } = JSON.parse(text) as NestedError;
      return type === 'error' ? told(data, id) : undefined;
    },
  },
  {
    name: 'json-rpc',
    hasIds: true,
    write: (method, params, id) => ({ jsonrpc: '2.0', method, params, ...(id !== undefined && { id }) }),
    errorOf(text) {
      const { id, error } = JSON.parse(text) as RpcError;
      return error === undefined ? undefined : told(error.data, id);
    },
  },
];
