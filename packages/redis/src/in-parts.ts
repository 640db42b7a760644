import type { Runner } from './runner.ts';

/** How many scripts are under way at once: enough to fill a connection, and few beside the handshakes. */
const WIDTH = 32;

/**
 * Works through many things, some at a time. Where one fails, the rest of that part of Redis is left out, and the others
 * go on: a node of a Cluster that is away takes nothing from what the others hold. Rejects at the end, then.
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
