import type { AnyGuard, Identity } from '@sallyport/core';
import type { Admission } from '@sallyport/core/host';
import type { WebSocketServer } from 'ws';
import { guardedClass } from './guarded-prototype.ts';
import { METHODS } from './guarded-socket.ts';

type Admitted = Admission<Identity, unknown, unknown>;

/** A ws server as the upgrades of one guard see it, and the subprotocol of the one that is being upgraded. */
interface LimitedServer {
  readonly server: WebSocketServer;
  subprotocol: string | undefined;
}

const limitedServers = new WeakMap<WebSocketServer, WeakMap<AnyGuard, LimitedServer>>();

/**
 * The ws server as one upgrade sees it: the policy's limits and the agreed subprotocol win over whatever it was made
 * with. They are not set on the server itself, which may serve public routes as well. To be used at once: the next one
 * of this guard is told its own subprotocol.
 */
export function limitedServer(wss: WebSocketServer, admission: Admitted, guard: AnyGuard): WebSocketServer {
  // It asks somebody, who may answer later, before it reads its options: then others come in between.
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

/** What is not the policy's to say is asked of the server itself, which may be changed. */
function limit(wss: WebSocketServer, admission: Admitted, guard: AnyGuard): LimitedServer {
  const { compression, closeTimeout } = guard.hostLimits;
  const { WebSocket } = wss.options;
  const limited = {
    subprotocol: admission.subprotocol,
    server: Object.create(wss) as WebSocketServer,
  };
  const own = {
    handleProtocols: () => limited.subprotocol ?? false,
    maxPayload: admission.maxMessageBytes,
    maxFragments: admission.maxFragments,
    maxBufferedChunks: admission.maxChunks,
    // What ws ends by itself, bad frames and the peer's own close, ends as soon; a silent peer would keep its slot for 30 s.
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
