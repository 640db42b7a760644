/** Bytes of an id: as many as a UUID has, of which a few are not random. */
const BYTES = 16;
/** Ids that are made at once: asking for randomness costs far more than the bytes. */
const AT_ONCE = 128;

const pool = Buffer.allocUnsafeSlow(BYTES * AT_ONCE);
let next = pool.length;

/**
 * A random id that nobody can guess (CVE-2026-41838): 128 bits in base64url. `crypto.randomUUID` makes a text of fifteen
 * pieces, which a connection would hold as long as it is open.
 */
export function randomId(): string {
  if (next === pool.length) {
    crypto.getRandomValues(pool);
    next = 0;
  }
  const id = pool.toString('base64url', next, next + BYTES);
  // What is told once is not kept for whoever reads the memory.
  pool.fill(0, next, next + BYTES);
  next += BYTES;
  return id;
}
