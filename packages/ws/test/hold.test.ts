import { Duplex } from 'node:stream';
import { expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { hold, letGo } from '../src/hold.ts';

/** A socket of ws that is being read, as far as holding it goes. */
function reading() {
  const raw = new Duplex({ read() {}, write() {} }).on('data', () => {});
  const ws = { _socket: raw, readyState: WebSocket.OPEN as number, OPEN: WebSocket.OPEN, isPaused: false };
  return { ws, raw, socket: ws as unknown as WebSocket, reads: () => raw.readableFlowing === true };
}

test('nobody reads on while it is held', () => {
  const { raw, socket, reads } = reading();
  expect(reads()).toBe(true);
  hold(socket);
  raw.resume();
  raw.resume();
  expect(reads()).toBe(false);
  letGo(socket);
  expect(reads()).toBe(true);
  raw.pause();
  raw.resume();
  expect(reads()).toBe(true);
});

test('what the application has paused stays paused, until it reads on itself', () => {
  const { ws, raw, socket, reads } = reading();
  hold(socket);
  ws.isPaused = true;
  letGo(socket);
  expect(reads()).toBe(false);
  ws.isPaused = false;
  raw.resume();
  expect(reads()).toBe(true);
});

test('a connection that ends is read to its end', () => {
  const { ws, raw, socket, reads } = reading();
  hold(socket);
  ws.readyState = WebSocket.CLOSING;
  raw.resume();
  expect(reads()).toBe(true);
});

test('letting go of what nobody holds changes nothing', () => {
  const { raw, socket, reads } = reading();
  raw.pause();
  letGo(socket);
  expect(reads()).toBe(false);
});
