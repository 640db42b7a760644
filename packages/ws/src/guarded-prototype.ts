import type { WebSocket } from 'ws';

type WebSocketClass = new (...args: never[]) => WebSocket;

const LIBRARY: unique symbol = Symbol('sallyport.library');

/** By the class of the library: there is one for each copy of ws, and for each class that an application has made of it. */
const classes = new WeakMap<WebSocketClass, WebSocketClass>();

/**
 * The library's class with the guard's own methods before its own. Made for all sockets at once: properties of each would make it
 * a slow object, of several hundred bytes more.
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

/** Makes a socket that is there already one of that class, as those of the ws 7 inside express-ws have to be. */
export function makeGuarded(socket: WebSocket, methods: PropertyDescriptorMap): void {
  if (LIBRARY in socket) return;
  const { prototype } = guardedClass(socket.constructor as WebSocketClass, methods);
  Object.setPrototypeOf(socket, prototype);
}

/** The library's own methods of a guarded socket. */
export function libraryOf(socket: WebSocket): WebSocket {
  return (socket as WebSocket & { readonly [LIBRARY]: WebSocket })[LIBRARY];
}
