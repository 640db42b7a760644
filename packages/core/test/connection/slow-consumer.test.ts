import { describe, expect, test } from '@jest/globals';
import { openConnection } from '../support/open-connection.ts';

const LIMIT = 100;
const open = (options: object = {}) => openConnection({ limits: { buffered: LIMIT }, ...options });

describe('limits.buffered', () => {
  test.each<[number, number, boolean]>([
    [0, 0, true],
    [LIMIT, 0, true],
    [0, LIMIT, true],
    [1, LIMIT - 1, true],
    // What is about to be sent counts, so that one message alone may be too much.
    [LIMIT + 1, 0, false],
    [1, LIMIT, false],
    [0, LIMIT + 1, false],
  ])('%i new bytes with %i bytes waiting may be sent: %s', async (bytes, waiting, taken) => {
    const { connection } = await open();
    expect(connection.mayBuffer(bytes, waiting)).toBe(taken);
  });

  test('by default one mebibyte may wait to be sent', async () => {
    const { connection } = await openConnection();
    expect([connection.mayBuffer(2 ** 20, 0), connection.mayBuffer(2 ** 20, 1)]).toEqual([true, false]);
  });
});

describe('beyond limits.buffered', () => {
  test("onSlowConsumer: 'close' closes the connection once, and an event tells why", async () => {
    const { connection, socket, denied } = await open();
    let reason: unknown;
    connection.onClose((event) => {
      reason = event.reason;
    });
    expect(connection.mayBuffer(LIMIT + 1, 0)).toBe(false);
    expect(connection.mayBuffer(LIMIT + 1, 0)).toBe(false);
    expect(socket.closes).toEqual([{ code: 1013, reason: 'Messages were not read in time.' }]);
    expect(denied).toEqual([
      expect.objectContaining({ reason: 'slow_consumer', stage: 'outbound', connection: connection.id }),
    ]);
    connection.closed(1013);
    expect(reason).toBe('slow_consumer');
  });

  test('a slow peer that does not answer the close is terminated', async () => {
    const { connection, socket, clock } = await open({ limits: { buffered: LIMIT, closeTimeout: '2s' } });
    connection.mayBuffer(LIMIT + 1, 0);
    clock.advance(2_000);
    expect(socket.calls).toEqual(['terminate']);
  });

  test("onSlowConsumer: 'drop' drops the messages, reports each, and keeps the connection open", async () => {
    const { connection, socket, denied } = await open({ onSlowConsumer: 'drop' });
    for (let i = 0; i < 3; i++) expect(connection.mayBuffer(LIMIT + 1, 0)).toBe(false);
    expect(connection.mayBuffer(LIMIT, 0)).toBe(true);
    expect([socket.closes, connection.state, denied.length]).toEqual([[], 'open', 3]);
  });

  test('a dropped message to a slow client is no violation', async () => {
    const { connection } = await open({ onSlowConsumer: 'drop', limits: { buffered: LIMIT, violations: 1 } });
    for (let i = 0; i < 5; i++) connection.mayBuffer(LIMIT + 1, 0);
    expect(connection.state).toBe('open');
  });
});

test('send returns whether the socket accepted the message', async () => {
  const { send, socket, connection } = await open({ onSlowConsumer: 'drop' });
  socket.taking = false;
  expect(send('said', { a: 1 })).toBe(false);
  socket.taking = true;
  expect(send('said', { a: 1 })).toBe(true);
  connection.close();
  expect(send('said', { a: 1 })).toBe(false);
  expect(connection.mayBuffer(1, 0)).toBe(true);
});
