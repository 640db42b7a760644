import type { AnyGuard } from '@sallyport/core';
import { type Admission, hostGuard } from '@sallyport/core/host';
import type { WebSocketServer } from 'ws';
import { guardedClass } from './guarded-prototype.ts';
import { METHODS } from './guarded-socket.ts';
import { lowerPayload } from './replaced-options.ts';

/** A view of a ws server with one guard's limits, and the subprotocol of the upgrade that is being accepted. */
interface LimitedServer {
  readonly server: WebSocketServer;
  subprotocol: string | undefined;
}

const limitedServers = new WeakMap<WebSocketServer, WeakMap<AnyGuard, LimitedServer>>();

/**
 * A ws server in which the policy's limits and the agreed subprotocol replace the options it was made with, but for a lower
 * `maxPayload`. The server itself is not changed, because it may serve public routes as well. Use the result at once: the next upgrade of the same
 * guard sets another subprotocol on it.
 */
export function limitedServer(wss: WebSocketServer, admission: Admission, guard: AnyGuard): WebSocketServer {
  // With `verifyClient`, ws may read its options later, after another upgrade; so each upgrade gets a view of its own.
  if (wss.options.verifyClient !== undefined && wss.options.verifyClient !== null)
    return limit(wss, admission, guard).server;
  let byGuard = limitedServers.get(wss);
  if (byGuard === undefined) {
    byGuard = new WeakMap();
    limitedServers.set(wss, byGuard);
  }
  let limited = byGuard.get(guard);
  if (limited === undefined) {
    limited = limit(wss, admission, guard);
    byGuard.set(guard, limited);
  }
  limited.subprotocol = admission.subprotocol;
  return limited.server;
}

/** All other options are inherited from the server, which may change them later. */
function limit(wss: WebSocketServer, admission: Admission, guard: AnyGuard): LimitedServer {
  const { compression, closeTimeout } = hostGuard(guard).limits;
  const { WebSocket, maxPayload } = wss.options;
  const limited = {
    subprotocol: admission.subprotocol,
    server: Object.create(wss) as WebSocketServer,
  };
  const own = {
    handleProtocols: () => limited.subprotocol ?? false,
    maxPayload: lowerPayload(admission.maxMessageBytes, maxPayload),
    maxFragments: admission.maxFragments,
    maxBufferedChunks: admission.maxChunks,
    skipUTF8Validation: false,
    // For closes that ws starts itself, after a bad frame or the peer's close; its default of 30 s would keep the slot.
    closeTimeout,
    perMessageDeflate: compression ? deflateOptions(wss) : false,
    // ws 7 has no such option.
    ...(WebSocket !== undefined && { WebSocket: guardedClass(WebSocket as never, METHODS) }),
  };
  const options = Object.assign(Object.create(wss.options), own);
  Object.defineProperty(limited.server, 'options', { value: options });
  return limited;
}

function deflateOptions(wss: WebSocketServer): object {
  const { perMessageDeflate } = wss.options;
  return typeof perMessageDeflate === 'object' ? perMessageDeflate : {};
}
