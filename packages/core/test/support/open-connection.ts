import { admitted, connect } from './decide.ts';
import { collect, guardOf } from './guards.ts';
import { settle } from './late-auth.ts';
import { ManualClock } from './manual-clock.ts';
import { RecordingSocket } from './recording-socket.ts';
import { upgradeRequest } from './upgrade-request.ts';

const HEADERS = { Origin: 'http://localhost:3000' };

type On = (
  type: string,
  ...rest: [...reply: string[], handler: (message: never, self: never) => unknown]
) => void;

/** Those of a policy, and further headers of the handshake. */
interface Options {
  readonly headers?: Readonly<Record<string, string>>;
  readonly [option: string]: unknown;
}

/** A guard, and a connection that it has let in, for tests that are about what is said on it. */
export async function openConnection({ headers = {}, ...options }: Options = {}) {
  const clock = new ManualClock();
  const guard = guardOf({ clock, ...options });
  const socket = new RecordingSocket();
  const request = upgradeRequest({ headers: { ...HEADERS, ...headers } });
  const connection = connect(await admitted(guard, request), socket);
  return {
    clock,
    guard,
    socket,
    connection,
    on: connection.on.bind(connection) as unknown as On,
    send: connection.send.bind(connection) as (type: string, body: object) => boolean,
    /** Hands in a message, and waits until all that could happen has. */
    async say(data: object | string | Uint8Array) {
      const binary = data instanceof Uint8Array;
      connection.receive(binary || typeof data === 'string' ? data : JSON.stringify(data), binary);
      await settle();
    },
    faults: collect(guard, 'fault'),
    denied: collect(guard, 'message.denied'),
    reported: collect(guard, 'message.reported'),
  };
}
