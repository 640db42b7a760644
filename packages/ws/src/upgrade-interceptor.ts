import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type AnyGuard, PolicyError } from '@sallyport/core';
import { type Denial, deny, hostGuard, isPromise, shareOuterDoor } from '@sallyport/core/host';
import { boundHeaders } from './headers-deadline.ts';
import { watchListening } from './listening-servers.ts';
import { Upgrade } from './upgrade.ts';
import { upgradeOnlyToWebSocket } from './websocket-only.ts';

/** Takes the upgrades of some paths, once they have passed the guard's outer door. */
export interface UpgradeHandler {
  /** Whether this handler takes upgrades of a path (without the query). The first handler that matches gets the upgrade. */
  readonly matches: (path: string) => boolean;
  readonly accept: (upgrade: Upgrade) => void;
  /** Says that `matches` is true of every path, so that no handler can be added after this one. Default: `false`. */
  readonly matchesAll?: boolean;
}

/**
 * What happens to `upgrade` listeners of the server that are not the guard's:
 * - `refused`: their presence throws a `PolicyError` at start-up;
 * - `replaced`: they stay on the server and are never called, because a handler does their work;
 * - `public`: they get the WebSocket upgrades that no handler takes, behind the outer door only.
 */
export type OtherUpgrades = 'refused' | 'replaced' | 'public';

/** A listener of a server's `upgrade` event (Node: `Event: 'upgrade'` of `http.Server`). */
export type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

const interceptors = new WeakMap<Server, UpgradeInterceptor>();

/**
 * Runs a guard's outer door for every upgrade request of a server, before the application, its logger and any other
 * `upgrade` listener, no matter when that was added. Returns the server's one interceptor. After `guard.close()` the server may
 * get a guard of another family.
 *
 * @throws PolicyError when the server has the outer door of another family already.
 */
export function interceptUpgrades(server: Server, guard: AnyGuard): UpgradeInterceptor {
  const existing = interceptors.get(server);
  const isOver = existing !== undefined && hostGuard(existing.guard).isClosed;
  if (isOver && !shareOuterDoor(existing.guard, guard)) existing.remove();
  if (existing === undefined || interceptors.get(server) === undefined) {
    const interceptor = new UpgradeInterceptor(server, guard);
    interceptors.set(server, interceptor);
    return interceptor;
  }
  if (shareOuterDoor(existing.guard, guard)) return existing;
  throw new PolicyError(
    'guard',
    'this server has a guard of another family, and a server has one outer door',
    'Make the second one with guard.extend({ … }) on the first.',
  );
}

/** Whether upgrade requests of this server come to the outer door of a guard. */
export function hasOuterDoor(server: Server): boolean {
  return interceptors.has(server);
}

/** Receives a server's upgrade requests, runs the outer door, and passes each to the handler of its path. */
export class UpgradeInterceptor {
  otherUpgrades: OtherUpgrades = 'refused';
  readonly #handlers: UpgradeHandler[] = [];
  readonly #emitUpgrade: UpgradeListener;
  readonly #restoreEmit: () => void;
  #isRemoved = false;

  constructor(
    readonly server: Server,
    readonly guard: AnyGuard,
  ) {
    const emit = server.emit;
    this.#emitUpgrade = (request, socket, head) =>
      void (emit as (...all: unknown[]) => boolean).call(server, 'upgrade', request, socket, head);
    // An overridden `emit` runs before all listeners. One more listener would run beside the others and could not stop them.
    const guarded = ((event: string, ...args: [IncomingMessage, Duplex, Buffer]): boolean => {
      if (event !== 'upgrade' || this.#isRemoved)
        return (emit as (...all: unknown[]) => boolean).call(server, event, ...args);
      this.#receive(...args);
      return true;
    }) as Server['emit'];
    server.emit = guarded;
    this.#restoreEmit = () => {
      if (server.emit === guarded) server.emit = emit;
    };
    // Node emits `upgrade` only on a server that has a listener for it.
    server.on('upgrade', placeholder);
    upgradeOnlyToWebSocket(server);
    boundHeaders(server, guard);
    watchListening(server, guard);
    server.once('listening', this.#checkOtherListeners);
  }

  /** Leaves the server without a guard, as it was. Its `upgrade` listeners are those of the application again. */
  remove(): void {
    this.#isRemoved = true;
    this.#restoreEmit();
    this.server.off('upgrade', placeholder);
    this.server.off('listening', this.#checkOtherListeners);
    interceptors.delete(this.server);
  }

  /**
   * Adds a handler behind those that are there. Returns a function that removes it, and with the last one the interceptor.
   *
   * @throws PolicyError when an earlier handler takes every path, and when the server listens already and has other
   * `upgrade` listeners, unless `otherUpgrades` allows them.
   */
  addHandler(handler: UpgradeHandler): () => void {
    if (this.#handlers.some(({ matchesAll }) => matchesAll)) {
      throw new PolicyError(
        'guardServer',
        'another one answers every path of this server, so this one would never be asked',
        'Give the earlier one a path, or put this one first.',
      );
    }
    if (this.server.listening) this.#checkOtherListeners();
    this.#handlers.push(handler);
    return () => {
      this.#handlers.splice(this.#handlers.indexOf(handler), 1);
      if (this.#handlers.length === 0) this.remove();
    };
  }

  /** Passes an upgrade to the server's other listeners. Returns `false` where there are none, or they are not `public`. */
  passToOtherListeners(upgrade: Upgrade): boolean {
    if (this.otherUpgrades !== 'public' || this.otherListeners.length === 0) return false;
    upgrade.unsafeLetSwitch();
    this.#emitUpgrade(upgrade.request, upgrade.socket, upgrade.handOver());
    return true;
  }

  /** The server's `upgrade` listeners that are not the guard's. */
  get otherListeners(): UpgradeListener[] {
    const listeners = this.server.listeners('upgrade') as UpgradeListener[];
    return listeners.filter((listener) => listener !== placeholder);
  }

  #receive(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const overUnixSocket =
      request.socket?.remoteAddress === undefined && typeof this.server.address() === 'string';
    const upgrade = new Upgrade(request, socket, head, this.guard, overUnixSocket, this.server);
    upgrade.refuseBehindResponse();
    if (upgrade.done) return;
    const verdict = hostGuard(this.guard).enter(upgrade.handshake);
    if (isPromise(verdict)) void verdict.then((denial) => this.#proceed(upgrade, denial));
    else this.#proceed(upgrade, verdict);
    upgrade.wait();
  }

  #proceed(upgrade: Upgrade, denial: Denial | undefined): void {
    try {
      this.#refuseOrDispatch(upgrade, denial);
    } catch (error) {
      upgrade.refuse(upgrade.handshake.fault(error));
    }
  }

  #refuseOrDispatch(upgrade: Upgrade, denial: Denial | undefined): void {
    if (denial !== undefined) upgrade.refuse(denial);
    upgrade.boundEarlyBytes();
    if (upgrade.done) return;
    upgrade.scrub();
    upgrade.seal();
    const handler = this.#handlers.find(({ matches }) => matches(upgrade.handshake.path));
    if (handler !== undefined) {
      handler.accept(upgrade);
    } else if (!this.passToOtherListeners(upgrade)) {
      upgrade.refuse(upgrade.handshake.deny(deny('route_unknown', 'no WebSocket at this path').at('route')));
    }
  }

  /** A listener that upgrades without a policy stops the program at start-up (CVE-2026-39987). */
  readonly #checkOtherListeners = (): void => {
    if (this.otherUpgrades !== 'refused' || this.otherListeners.length === 0) return;
    throw new PolicyError(
      'upgrade listeners',
      'this server has upgrade listeners without a guard',
      "Guard them as well, or say otherUpgrades: 'public' to let them answer the paths that are not guarded.",
    );
  };
}

function placeholder(): void {}
