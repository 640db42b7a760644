import type { Server } from 'node:http';
import type { AnyGuard } from '@sallyport/core';

/** The servers that listen, by the guard of their family. A server is kept no longer than it listens. */
const listening = new WeakMap<AnyGuard, Set<Server>>();

/** Keeps account of whether a server listens, from the time that it gets a guard. */
export function watchListening(server: Server, guard: AnyGuard): void {
  const servers = listening.get(guard.family) ?? new Set<Server>();
  listening.set(guard.family, servers);
  if (server.listening) servers.add(server);
  server.on('listening', () => servers.add(server));
  server.on('close', () => servers.delete(server));
}

/** Whether a server that the guard's family serves listens. */
export function isServing(guard: AnyGuard): boolean {
  return (listening.get(guard.family)?.size ?? 0) > 0;
}
