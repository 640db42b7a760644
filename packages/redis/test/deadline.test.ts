import { connect, createServer } from 'node:net';
import { expect, jest, test } from '@jest/globals';
import { Deadline } from '../src/deadline.ts';

test('work that settles before the deadline settles the operation, and the deadline rejects it', async () => {
  expect(await new Deadline(1_000).bound(Promise.resolve(1))).toBe(1);
  await expect(new Deadline(1_000).bound(Promise.reject(new Error('no')))).rejects.toThrow('no');
  const never = new Promise(() => {});
  await expect(new Deadline(5).bound(never)).rejects.toThrow('Redis did not answer within 5 ms.');
});

test('one deadline covers all steps of an operation', async () => {
  jest.useFakeTimers();
  try {
    const deadline = new Deadline(400);
    await jest.advanceTimersByTimeAsync(300);
    expect(deadline.left).toBe(100);
    const step = deadline.bound(new Promise(() => {})).catch(() => 'over');
    await jest.advanceTimersByTimeAsync(99);
    expect(await Promise.race([step, 'waiting'])).toBe('waiting');
    await jest.advanceTimersByTimeAsync(2);
    expect(await step).toBe('over');
    expect(deadline.left).toBe(0);
  } finally {
    jest.useRealTimers();
  }
});

test('an answer received while the event loop was blocked is in time', async () => {
  const server = createServer((socket) => socket.on('data', (data) => socket.write(data)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const socket = connect((server.address() as { port: number }).port, '127.0.0.1');
  await new Promise((resolve) => socket.once('connect', resolve));
  const answer = new Promise((resolve) => socket.once('data', (data) => resolve(String(data))));
  const bound = new Deadline(20).bound(answer);
  socket.write('answer');
  // The server in this process answers before the event loop is blocked; the answer is read afterwards.
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  stall(60);
  expect(await bound).toBe('answer');
  socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

function stall(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}
