import { describe, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { guardedClass, libraryOf, makeGuarded } from '../src/guarded-prototype.ts';
import { METHODS } from '../src/guarded-socket.ts';

/** As ws makes them for a server. */
const unopened = (of: unknown): WebSocket =>
  new (of as new (...args: unknown[]) => WebSocket)(null, undefined, {});
const Guarded = guardedClass(WebSocket as never, METHODS);

describe.each([
  ['a socket of the class', () => unopened(Guarded)],
  [
    'one that was there already',
    () => {
      const socket = unopened(WebSocket);
      makeGuarded(socket, METHODS);
      return socket;
    },
  ],
])('%s', (_what, make) => {
  test('is the library’s to everybody else', () => {
    const socket = make();
    expect(socket).toBeInstanceOf(WebSocket);
    expect([socket.constructor.name, socket.OPEN]).toEqual(['WebSocket', WebSocket.OPEN]);
    expect(libraryOf(socket)).toBe(WebSocket.prototype);
  });

  test('is made so once', () => {
    const socket = make();
    makeGuarded(socket, METHODS);
    expect(Object.getPrototypeOf(socket)).toBe(Guarded.prototype);
  });

  test('hands on no message before a guard has admitted it, and everything else', () => {
    const socket = make();
    const heard: string[] = [];
    for (const event of ['message', 'custom']) socket.on(event, () => heard.push(event));
    expect([socket.emit('message', Buffer.from('{}'), false), socket.emit('custom')]).toEqual([false, true]);
    expect(heard).toEqual(['custom']);
  });
});
