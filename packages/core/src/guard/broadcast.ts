import type { GuardedConnection } from '../connection/guarded-connection.ts';
import { frameOf } from '../outbound/frame.ts';
import type { Writer } from '../outbound/writer.ts';
import { requireListener } from '../vocabulary/option-checks.ts';
import type { FramedMessage } from '../vocabulary/ports.ts';

/**
 * Sends one message to every connection whose route uses this `writer`. It is serialized and framed once for all. Returns how
 * many connections accepted it.
 */
export function broadcast(
  connections: Iterable<GuardedConnection>,
  writer: Writer,
  type: string,
  body: object,
  isMeant: (connection: GuardedConnection) => boolean,
): number {
  requireListener(isMeant, `broadcast('${type}', …, filter)`);
  const data = writer.message(type, body);
  const message: FramedMessage = { data, frame: frameOf(data) };
  let taken = 0;
  for (const connection of connections) {
    if (!writer.writesLike(connection.context.writer) || !isMeant(connection)) continue;
    if (connection.sendFramed(message)) taken++;
  }
  return taken;
}
