import type { AttemptSource } from '../auth/attempts.ts';
import type { HandshakeContext } from './handshake-context.ts';

/** With whom an address shares its slots: those of its own bucket, and of the wider prefixes that one person may hold. */
export interface SlotSource {
  readonly bucket: string;
  /** An IPv6 /56 and /48 (RFC 6177); nothing for IPv4, where strangers share the wider ones. */
  readonly wider: readonly string[];
}

export function slotSourceOf({ client }: HandshakeContext): SlotSource {
  if (client === undefined) return { bucket: 'unknown', wider: [] };
  const { bucket, coarser } = client.address;
  return { bucket, wider: isIPv6(bucket) ? coarser : [] };
}

/** The same for a connection that has not authenticated: those of pages of other sites have slots of their own. */
export function pendingSourceOf(context: HandshakeContext): SlotSource {
  const { bucket, coarser } = sourceOf(context);
  return { bucket, wider: isIPv6(bucket) ? coarser : [] };
}

function isIPv6(bucket: string): boolean {
  return bucket.endsWith('/64');
}

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
