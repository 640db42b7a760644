/** Milliseconds that one fetch may take. */
const FETCH_TIMEOUT = 5_000;
/** Bytes. Key sets have some kilobytes. */
const LARGEST_SET = 1_048_576;

/**
 * Fetches the text of a key set. No redirect is followed: it could lead to anybody.
 *
 * @throws Error whose message says for operators what is wrong.
 */
export async function fetchKeySet(url: URL): Promise<string> {
  try {
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { Accept: 'application/jwk-set+json, application/json', 'User-Agent': 'sallyport' },
      signal: AbortSignal.timeout(FETCH_TIMEOUT),
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new KeyFetchError(`it answered with status ${response.status}`);
    }
    return await textOf(response);
  } catch (error) {
    throw error instanceof KeyFetchError ? error : new KeyFetchError(problemOf(error));
  }
}

class KeyFetchError extends Error {
  override readonly name = 'KeyFetchError';
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

function problemOf(error: unknown): string {
  const { name, cause } = error as { readonly name?: string; readonly cause?: { readonly code?: string } };
  if (name === 'TimeoutError') return `it did not answer within ${FETCH_TIMEOUT / 1_000} seconds`;
  return `the connection failed (${cause?.code ?? name})`;
}
