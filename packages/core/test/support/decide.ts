import type { AnyGuard, HandshakeRequest } from '@sallyport/core';
import { type Admission, type Denial, hostGuard, type Socket } from '@sallyport/core/host';
import type { GuardedConnection } from '../../src/connection/guarded-connection.ts';

export type Decision = Denial | Admission;

/** Takes a request through both doors, as a host does. */
export async function decide(
  guard: AnyGuard,
  request: HandshakeRequest,
  native: unknown = undefined,
): Promise<Decision> {
  const handshake = hostGuard(guard).begin(request, () => {});
  return (await hostGuard(guard).enter(handshake)) ?? (await hostGuard(guard).admit(handshake, native));
}

/** The reason of a denial, or `admitted`; the slots of an admission are given back. */
export async function outcomeOf(guard: AnyGuard, request: HandshakeRequest): Promise<string> {
  const decision = await decide(guard, request);
  if (decision.denied) return decision.reason;
  decision.release();
  return 'admitted';
}

/** The admission, where nothing else is expected. */
export async function admitted(guard: AnyGuard, request: HandshakeRequest) {
  const decision = await decide(guard, request);
  if (decision.denied)
    throw new Error(`denied at ${decision.stage}: ${decision.reason} (${decision.detail})`);
  return decision;
}

/** The connection that an admission opens into, where no first message has to come before. */
export function connect(admission: Admission, socket: Socket): GuardedConnection {
  let connection: GuardedConnection | undefined;
  admission.open(socket, (opened) => {
    connection = opened as unknown as GuardedConnection;
  });
  if (connection === undefined) throw new Error('it did not open');
  return connection;
}
