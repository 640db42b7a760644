/** As many bytes as a UUID, but all of them random. */
const BYTES = 16;
/** Ids drawn together, because one call for randomness costs far more than the bytes. */
const AT_ONCE = 128;

const pool = Buffer.allocUnsafeSlow(BYTES * AT_ONCE);
let next = pool.length;

/**
 * An id that nobody can guess (CVE-2026-41838): 128 bits in base64url. `crypto.randomUUID` returns a string of
 * fifteen pieces, which a connection would hold while it is open.
 */
export function randomId(): string {
  if (next === pool.length) {
    crypto.getRandomValues(pool);
    next = 0;
  }
  const id = pool.toString('base64url', next, next + BYTES);
  // Nobody who reads the memory should find the ids of others.
  pool.fill(0, next, next + BYTES);
  next += BYTES;
  return id;
}
