import type { IncomingMessage } from 'node:http';

/** The size limit of request bodies on all hosts. */
export const BODY_BYTES = 4_096;

/** A body that cannot be read. `statusCode` is named as in the errors of the parsers of Fastify and Express. */
class BodyError extends Error {
  constructor(readonly statusCode: number) {
    super('the body cannot be read');
  }
}

/** Reads a JSON body of at most `BODY_BYTES`, for hosts without a parser. */
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
