import type { WebSocket } from 'ws';

type WebSocketClass = new (...args: never[]) => WebSocket;

const LIBRARY: unique symbol = Symbol('sallyport.library');

/** Guarded classes by the class that they extend: each copy of ws has one, and so has each subclass of an application. */
const classes = new WeakMap<WebSocketClass, WebSocketClass>();

/**
 * A subclass of the library's class whose methods are the guard's. One class serves all sockets: properties set on each
 * socket would make it a slow object that takes several hundred bytes more.
 */
export function guardedClass(library: WebSocketClass, methods: PropertyDescriptorMap): WebSocketClass {
  let guarded = classes.get(library);
  if (guarded === undefined) {
    guarded = class extends library {};
    Object.defineProperty(guarded, 'name', { value: library.name });
    Object.defineProperties(guarded.prototype, { ...methods, [LIBRARY]: { value: library.prototype } });
    classes.set(library, guarded);
  }
  return guarded;
}

/** Turns an existing socket into one of the guarded class. The ws 7 of express-ws cannot be told which class to use. */
export function makeGuarded(socket: WebSocket, methods: PropertyDescriptorMap): void {
  if (LIBRARY in socket) return;
  const { prototype } = guardedClass(socket.constructor as WebSocketClass, methods);
  Object.setPrototypeOf(socket, prototype);
}

/** The library's own methods of a guarded socket. */
export function libraryOf(socket: WebSocket): WebSocket {
  return (socket as WebSocket & { readonly [LIBRARY]: WebSocket })[LIBRARY];
}
