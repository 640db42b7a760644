import type { IncomingMessage, Server } from 'node:http';
import { namesWebSocket } from './websocket-headers.ts';

type ShouldUpgrade = (this: Server, request: IncomingMessage) => boolean;
type RequestClass = new (
  ...args: never[]
) => IncomingMessage & {
  _addHeaderLines(lines: readonly string[], count: number): void;
};

/** A server may get one outer door after another. */
const restricted = new WeakSet<Server>();

/**
 * Leaves a server's other upgrades (`h2c`, `TLS/1.2`) to its application, as ordinary requests with their bodies: a server may
 * ignore an `Upgrade` (RFC 9110 §7.8). Node would take each for a WebSocket, because the server has an `upgrade` listener.
 * Clients of HTTP/2 send `Upgrade: h2c` with their first request, whatever it is.
 */
export function upgradeOnlyToWebSocket(server: Server): void {
  if (restricted.has(server)) return;
  restricted.add(server);
  const asked = server as Server & { shouldUpgradeCallback?: ShouldUpgrade };
  const { shouldUpgradeCallback: shouldUpgrade } = asked;
  if (shouldUpgrade === undefined) {
    replaceRequestClass(server);
    return;
  }
  asked.shouldUpgradeCallback = function (request) {
    return namesWebSocket(request) && shouldUpgrade.call(this, request);
  };
}

/**
 * For Node before 22.21 and 24.9, whose servers ask nobody. The class of their requests is kept under a symbol, which no later
 * release of these versions can rename. Where a server has none, the guard refuses other upgrades with 400.
 */
function replaceRequestClass(server: Server): void {
  const symbol = Object.getOwnPropertySymbols(server).find(
    ({ description }) => description === 'IncomingMessage',
  );
  if (symbol === undefined) return;
  const classes = server as unknown as Record<symbol, RequestClass>;
  const Request = classes[symbol] as RequestClass;
  const name = Request.name;
  classes[symbol] = class extends Request {
    static override readonly name = name;

    /** Node calls this once it has set `upgrade`, and before it looks at it. */
    override _addHeaderLines(lines: readonly string[], count: number): void {
      super._addHeaderLines(lines, count);
      if ((this as Upgradable).upgrade === true && !namesWebSocket(this))
        Object.defineProperty(this, 'upgrade', NO_UPGRADE);
    }
  };
}

type Upgradable = IncomingMessage & { upgrade?: unknown };

/** The method is not known yet, and CONNECT makes a tunnel whatever its headers say. */
const NO_UPGRADE: PropertyDescriptor & ThisType<Upgradable> = {
  configurable: true,
  enumerable: true,
  get() {
    return this.method === 'CONNECT';
  },
  set(value: unknown) {
    Object.defineProperty(this, 'upgrade', { value, writable: true, configurable: true, enumerable: true });
  },
};
