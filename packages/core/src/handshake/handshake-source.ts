import type { AttemptSource } from '../auth/attempts.ts';
import type { HandshakeContext } from './handshake-context.ts';

/** With whom an address shares its slots. */
export function bucketOf(context: HandshakeContext): string {
  return context.client?.address.bucket ?? 'unknown';
}

/** With whom it shares its rates and its failed authentications. */
export function sourceOf({ client, unvouched }: HandshakeContext): AttemptSource {
  if (client === undefined) return { bucket: 'unknown', coarser: [], bannable: false };
  const { address, bannable } = client;
  const source = { bucket: address.bucket, coarser: address.coarser, bannable };
  return unvouched ? ofPage(source) : source;
}

/**
 * The same address, counted apart: what a page of another site makes its visitor's browser send must not use up what the
 * visitor's own pages and programs may send.
 */
export function ofPage({ bucket, coarser }: AttemptSource): AttemptSource {
  return { bucket: `page ${bucket}`, coarser: coarser.map((wider) => `page ${wider}`), bannable: false };
}
