import type { IncomingMessage } from 'node:http';

/** The largest body that any host reads. */
export const BODY_BYTES = 4_096;

/** A request that its sender got wrong; `statusCode` as in the errors of Fastify's and Express's parsers. */
class BodyError extends Error {
  constructor(readonly statusCode: number) {
    super('the body cannot be read');
  }
}

/** Reads a small JSON body, for the hosts that bring no parser. */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > BODY_BYTES) throw new BodyError(413);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new BodyError(400);
  }
}
