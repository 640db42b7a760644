import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type AnyGuard, PolicyError } from '@sallyport/core';
import { type Denial, deny, isPromise } from '@sallyport/core/host';
import { Upgrade } from './upgrade.ts';

/** Somebody who takes the upgrades of some paths. */
export interface Owner {
  readonly matches: (path: string) => boolean;
  readonly accept: (upgrade: Upgrade) => void;
  /** Whether no path is left for those that come later. */
  readonly everything?: boolean;
}

/**
 * What becomes of the server's other upgrade listeners: they stop the start-up (`refused`), they are known and never
 * asked, since somebody else serves in their stead (`replaced`), or they get what no owner matches (`public`).
 */
export type Others = 'refused' | 'replaced' | 'public';

export type UpgradeListener = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

const gatehouses = new WeakMap<Server, Gatehouse>();

/**
 * Puts a guard's outer door before a server: every upgrade request meets it before the application, its logger and
 * any other `upgrade` listener, whether that was added earlier or will be later.
 *
 * @throws PolicyError when the server has an outer door of another family.
 */
export function standBefore(server: Server, guard: AnyGuard): Gatehouse {
  const existing = gatehouses.get(server);
  if (existing === undefined) {
    const gatehouse = new Gatehouse(server, guard);
    gatehouses.set(server, gatehouse);
    return gatehouse;
  }
  if (existing.guard.isFamilyOf(guard)) return existing;
  throw new PolicyError(
    'guard',
    'this server has a guard of another family, and a server has one outer door',
    'Make the second one with guard.extend({ … }) on the first.',
  );
}

/** The one place where a server's upgrade requests arrive. */
export class Gatehouse {
  others: Others = 'refused';
  readonly #owners: Owner[] = [];
  readonly #pass: UpgradeListener;

  constructor(
    readonly server: Server,
    readonly guard: AnyGuard,
  ) {
    const emit = server.emit;
    this.#pass = (request, socket, head) =>
      void (emit as (...all: unknown[]) => boolean).call(server, 'upgrade', request, socket, head);
    // An own `emit` comes before all listeners; one more listener would be beside them, and could stop none.
    server.emit = ((event: string, ...args: [IncomingMessage, Duplex, Buffer]): boolean => {
      if (event !== 'upgrade') return (emit as (...all: unknown[]) => boolean).call(server, event, ...args);
      this.#receive(...args);
      return true;
    }) as Server['emit'];
    // Node announces upgrades only to a server that has a listener for them.
    server.on('upgrade', announce);
    server.once('listening', () => this.#refuseStrangers());
  }

  /** @throws PolicyError where an earlier owner leaves no path, and where listeners that no guard stands before were there first, and are not called public. */
  own(owner: Owner): void {
    if (this.#owners.some(({ everything }) => everything)) {
      throw new PolicyError(
        'guardServer',
        'another one answers every path of this server, so this one would never be asked',
        'Give the earlier one a path, or put this one first.',
      );
    }
    if (this.server.listening) this.#refuseStrangers();
    this.#owners.push(owner);
  }

  #receive(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const overUnixSocket =
      request.socket?.remoteAddress === undefined && typeof this.server.address() === 'string';
    const upgrade = new Upgrade(request, socket, head, this.guard, overUnixSocket);
    const verdict = this.guard.enter(upgrade.handshake);
    if (isPromise(verdict)) void verdict.then((denial) => this.#proceed(upgrade, denial));
    else this.#proceed(upgrade, verdict);
    upgrade.wait();
  }

  #proceed(upgrade: Upgrade, denial: Denial | undefined): void {
    try {
      this.#handOn(upgrade, denial);
    } catch (error) {
      upgrade.refuse(upgrade.handshake.fault(error));
    }
  }

  #handOn(upgrade: Upgrade, denial: Denial | undefined): void {
    if (denial !== undefined) upgrade.refuse(denial);
    upgrade.boundEarlyBytes();
    if (upgrade.done) return;
    upgrade.scrub();
    const owner = this.#owners.find(({ matches }) => matches(upgrade.handshake.path));
    if (owner !== undefined) {
      owner.accept(upgrade);
    } else if (!this.handOver(upgrade)) {
      upgrade.refuse(upgrade.handshake.deny(deny('route_unknown', 'no WebSocket at this path').at('route')));
    }
  }

  /** Leaves an upgrade to listeners that the guard does not stand before; `false` where there are none, or not `public`. */
  handOver(upgrade: Upgrade): boolean {
    if (this.others !== 'public' || this.strangers.length === 0) return false;
    this.#pass(upgrade.request, upgrade.socket, upgrade.letGo());
    return true;
  }

  /** The server's upgrade listeners that are not the guard's own. */
  get strangers(): UpgradeListener[] {
    const listeners = this.server.listeners('upgrade') as UpgradeListener[];
    return listeners.filter((listener) => listener !== announce);
  }

  /** A route that upgrades without a policy stops the program at start-up (CVE-2026-39987). */
  #refuseStrangers(): void {
    if (this.others !== 'refused' || this.strangers.length === 0) return;
    throw new PolicyError(
      'upgrade listeners',
      'this server has upgrade listeners that no guard stands before',
      "Guard them as well, or say otherUpgrades: 'public' to let them answer the paths that are not guarded.",
    );
  }
}

function announce(): void {}
