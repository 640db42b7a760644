import { expect, test } from '@jest/globals';
import { anonymous, bearer, custom, Type } from '@sallyport/core';
import { type Denial, hostGuard } from '@sallyport/core/host';
import { admitted, connect, outcomeOf } from '../support/decide.ts';
import { guardOf } from '../support/guards.ts';
import { retired } from '../support/late-auth.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RecordingSocket } from '../support/recording-socket.ts';
import { upgradeRequest } from '../support/upgrade-request.ts';

const clock = new ManualClock();
/** Two servers: what came by the first ends. */
const [ending, other] = [{}, {}];
const ORIGIN = { Origin: 'http://localhost:3000' };
const from = (server: object | undefined) => ({ ...upgradeRequest({ headers: ORIGIN }), server });

function chat() {
  let decideLater: ((identity: { subject: string }) => void) | undefined;
  const guard = guardOf({
    clock,
    auth: [
      custom({
        scheme: 'slow',
        from: [bearer()],
        authenticate: () =>
          new Promise<{ subject: string }>((resolve) => {
            decideLater = resolve;
          }),
      }),
      anonymous(),
    ],
    messages: { say: Type.Object({}) },
  });
  return { guard, host: hostGuard(guard), decideLater: () => decideLater?.({ subject: 'alice' }) };
}

test('the end of a server closes its connections, and those of another server and of none stay open', async () => {
  const { guard, host } = chat();
  const sockets = await Promise.all(
    [ending, other, undefined].map(async (server) => {
      const socket = new RecordingSocket();
      const connection = connect(await admitted(guard, from(server)), socket);
      return { socket, connection };
    }),
  );
  const ended = host.closeServer(ending, 1_000);
  await retired();
  expect(sockets.map(({ socket }) => socket.closes.map(({ code }) => code))).toEqual([[1001], [], []]);
  sockets[0]?.connection.closed(1001);
  await ended;
  expect(guard.stats().connections).toBe(2);
});

test('while a server closes its handshakes are refused, those in progress too, and admitted again once it reopens', async () => {
  const { guard, host, decideLater } = chat();
  const denials: Denial[] = [];
  const request = upgradeRequest({ headers: { Authorization: 'Bearer x' } });
  const handshake = host.begin({ ...request, server: ending }, (denial) => denials.push(denial));
  expect(await host.enter(handshake)).toBeUndefined();
  const decision = host.admit(handshake, undefined);
  await host.closeServer(ending, 1_000);
  expect(denials).toEqual([
    expect.objectContaining({ reason: 'shutting_down', detail: 'the server is closing' }),
  ]);
  decideLater();
  expect((await decision).denied).toBe(true);
  const refused = await host.enter(host.begin(from(ending), () => {}));
  expect(refused?.reason).toBe('shutting_down');
  expect(await outcomeOf(guard, from(other))).toBe('admitted');
  host.reopenServer(ending);
  expect(await outcomeOf(guard, from(ending))).toBe('admitted');
});

test('a passed handshake of the server that opens during its end is closed, and its slot is given back at the deadline', async () => {
  const { guard, host } = chat();
  const [opens, never] = [await admitted(guard, from(ending)), await admitted(guard, from(ending))];
  const kept = await admitted(guard, from(other));
  const ended = host.closeServer(ending, 1_000);
  const socket = new RecordingSocket();
  const receiver = opens.open(socket, () => {});
  expect(socket.closes).toMatchObject([{ code: 1001 }]);
  receiver.closed(1001);
  clock.advance(1_000);
  await ended;
  const late = new RecordingSocket();
  never.open(late, () => {});
  expect(late.closes).toMatchObject([{ code: 1001 }]);
  expect(connect(kept, new RecordingSocket()).state).toBe('open');
});
