import { describe, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { guardedClass, libraryOf, makeGuarded } from '../src/guarded-prototype.ts';
import { METHODS } from '../src/guarded-socket.ts';

/** A socket as ws creates it on a server, before it has a raw socket. */
const unopened = (of: unknown): WebSocket =>
  new (of as new (...args: unknown[]) => WebSocket)(null, undefined, {});
const Guarded = guardedClass(WebSocket as never, METHODS);

describe.each([
  ['a socket created with the guarded class', () => unopened(Guarded)],
  [
    'a socket turned into the guarded class',
    () => {
      const socket = unopened(WebSocket);
      makeGuarded(socket, METHODS);
      return socket;
    },
  ],
])('%s', (_what, make) => {
  test('is an instance of the library’s WebSocket, with its name and constants', () => {
    const socket = make();
    expect(socket).toBeInstanceOf(WebSocket);
    expect([socket.constructor.name, socket.OPEN]).toEqual(['WebSocket', WebSocket.OPEN]);
    expect(libraryOf(socket)).toBe(WebSocket.prototype);
  });

  test('stays as it is when makeGuarded is called again', () => {
    const socket = make();
    makeGuarded(socket, METHODS);
    expect(Object.getPrototypeOf(socket)).toBe(Guarded.prototype);
  });

  test('emits no message before a guard has admitted it, but emits other events', () => {
    const socket = make();
    const heard: string[] = [];
    for (const event of ['message', 'custom']) socket.on(event, () => heard.push(event));
    expect([socket.emit('message', Buffer.from('{}'), false), socket.emit('custom')]).toEqual([false, true]);
    expect(heard).toEqual(['custom']);
  });
});
