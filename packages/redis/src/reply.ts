/** Scripts reply with whole numbers, texts and lists. Clients may map them to other types. */
export function listOf(reply: unknown): readonly unknown[] {
  if (Array.isArray(reply)) return reply;
  throw new TypeError('Redis answered with something that is no list.');
}

export function numberOf(reply: unknown): number {
  const number = Number(textOf(reply));
  if (Number.isNaN(number)) throw new TypeError('Redis answered with something that is no number.');
  return number;
}

/** A client can be made to return buffers. */
export function textOf(reply: unknown): string {
  if (reply === undefined || reply === null)
    throw new TypeError('Redis answered with nothing where a value was expected.');
  return String(reply);
}
