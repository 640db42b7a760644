import { expect, test } from '@jest/globals';
import { admitted, connect } from '../support/decide.ts';
import { collect, guardOf } from '../support/guards.ts';
import { auth, keys, replies, settle } from '../support/late-auth.ts';
import { RecordingSocket } from '../support/recording-socket.ts';
import { upgradeRequest } from '../support/upgrade-request.ts';

const REQUEST = upgradeRequest({ headers: { Authorization: 'Bearer key' } });

async function open(subjects: string[], limits: object = {}) {
  const { authenticator } = keys(() => ({ subject: subjects.shift() ?? 'nobody', expiresAt: 4_000_000_000 }));
  const options = {
    auth: [authenticator],
    renewal: true,
    limits: { revocationRetention: '36500d', ...limits },
  };
  const guard = guardOf(options);
  const socket = new RecordingSocket();
  const renewed = collect<'connection.renewed'>(guard, 'connection.renewed');
  const connection = connect(await admitted(guard, REQUEST), socket);
  return { guard, socket, connection, renewed };
}

test('a renewal is an event with the connection, the subject and the new end', async () => {
  const { connection, renewed } = await open(['alice', 'alice']);
  connection.receive(auth('key'), false);
  await settle();
  expect(renewed).toMatchObject([
    { connection: connection.id, subject: 'alice', path: '/chat', expiresAt: 4_000_000_000 },
  ]);
});

test('a credential of another subject is no renewal, and counts as a failed attempt of the address', async () => {
  const limits = { authFailures: { rate: '1/h', burst: 1 } };
  const { connection, renewed, socket } = await open(['alice', 'mallory', 'alice'], limits);
  connection.receive(auth('key'), false);
  await settle();
  expect(replies(socket)).toEqual(['credential_invalid']);
  connection.receive(auth('key'), false);
  await settle();
  expect(socket.closes).toMatchObject([{ code: 4429 }]);
  expect(renewed).toEqual([]);
});
