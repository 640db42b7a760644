import type { Runner } from './runner.ts';

/** Scripts in progress at once: enough to use the connection, and few enough not to delay handshakes. */
const WIDTH = 32;

/**
 * Does the work for all items, some at a time. After a failure, the other items of that part of Redis are skipped and
 * the rest goes on. Rejects at the end if any failed.
 */
export async function inParts<T>(
  runner: Runner,
  items: Iterable<T>,
  keyOf: (item: T) => string,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.iterator]();
  const failed = new Map<number, unknown>();
  const worker = async (): Promise<void> => {
    for (let next = iterator.next(); !next.done; next = iterator.next()) {
      const part = runner.partOf(keyOf(next.value));
      if (failed.has(part)) continue;
      await work(next.value).catch((error: unknown) => failed.set(part, error));
    }
  };
  await Promise.all(Array.from({ length: WIDTH }, worker));
  for (const error of failed.values()) throw error;
}
