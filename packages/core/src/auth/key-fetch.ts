import { freshnessOf } from './key-freshness.ts';

/** Milliseconds that one fetch may take, with its retry. */
const FETCH_TIMEOUT = 5_000;
/** Bytes. Key sets have some kilobytes. */
const LARGEST_SET = 1_048_576;

/** An issuer's answer. */
export interface FetchedKeys {
  /** `undefined` if the set is still the one with the given `ETag`. */
  readonly text: string | undefined;
  readonly etag: string | undefined;
  /** Milliseconds for which it counts as fresh. */
  readonly freshness: number;
}

/**
 * Fetches the text of a key set, unless it still has this `ETag` (RFC 9110 §13.1.2). No redirect is followed: it could lead to
 * anybody. A connection that breaks without an answer is tried once more: the issuer may have closed one that was kept alive.
 *
 * @throws Error whose message says for operators what is wrong.
 */
export async function fetchKeySet(url: URL, etag: string | undefined): Promise<FetchedKeys> {
  const signal = AbortSignal.timeout(FETCH_TIMEOUT);
  try {
    return await ask(url, etag, signal).catch((error) => {
      if (!isBroken(error)) throw error;
      return ask(url, etag, signal);
    });
  } catch (error) {
    throw error instanceof KeyFetchError ? error : new KeyFetchError(problemOf(error));
  }
}

class KeyFetchError extends Error {
  override readonly name = 'KeyFetchError';
}

async function ask(url: URL, etag: string | undefined, signal: AbortSignal): Promise<FetchedKeys> {
  const response = await fetch(url, {
    redirect: 'manual',
    headers: {
      Accept: 'application/jwk-set+json, application/json',
      'User-Agent': 'sallyport',
      // Minutes pass until the next fetch. By then a connection that is kept would be closed.
      Connection: 'close',
      ...(etag !== undefined && { 'If-None-Match': etag }),
    },
    signal,
  });
  const { status, headers } = response;
  const freshness = freshnessOf(headers.get('cache-control'), headers.get('age'));
  if (status === 200)
    return { text: await textOf(response), etag: headers.get('etag') ?? undefined, freshness };
  await response.body?.cancel();
  if (status === 304 && etag !== undefined) return { text: undefined, etag, freshness };
  throw new KeyFetchError(`it answered with status ${status}`);
}

async function textOf({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > LARGEST_SET) throw new KeyFetchError(`it sent more than ${LARGEST_SET} bytes`);
    chunks.push(chunk);
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
}

/** Whether the connection broke, before or within the answer; not whether none could be made. */
function isBroken(error: unknown): boolean {
  const code = causeOf(error);
  return (
    ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'].includes(code ?? '') || code?.startsWith('ERR_HTTP2_') === true
  );
}

function problemOf(error: unknown): string {
  const { name } = error as { readonly name?: string };
  if (name === 'TimeoutError') return `it did not answer within ${FETCH_TIMEOUT / 1_000} seconds`;
  return `the connection failed (${causeOf(error) ?? name})`;
}

function causeOf(error: unknown): string | undefined {
  const { cause } = error as { readonly cause?: { readonly code?: unknown } };
  return typeof cause?.code === 'string' ? cause.code : undefined;
}
