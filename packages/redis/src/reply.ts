/** Replies as scripts give them: whole numbers, texts and lists, which clients may map to other types. */
export function listOf(reply: unknown): readonly unknown[] {
  if (Array.isArray(reply)) return reply;
  throw new TypeError('Redis answered with something that is no list.');
}

export function numberOf(reply: unknown): number {
  const number = Number(textOf(reply));
  if (Number.isNaN(number)) throw new TypeError('Redis answered with something that is no number.');
  return number;
}

/** Buffers, where the client was made to give them, are text, too. */
export function textOf(reply: unknown): string {
  if (reply === undefined || reply === null)
    throw new TypeError('Redis answered with nothing where a value was expected.');
  return String(reply);
}
