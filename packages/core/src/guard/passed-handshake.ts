import type { AttemptSource } from '../auth/attempts.ts';
import type { Connection } from '../connection/connection.ts';
import { GuardedConnection } from '../connection/guarded-connection.ts';
import { Pending } from '../connection/pending.ts';
import type { Authenticated } from '../connection/pending-context.ts';
import type { Receiver } from '../connection/receiver.ts';
import type { Client } from '../handshake/address.ts';
import type { Handshake } from '../handshake/handshake.ts';
import { sourceOf } from '../handshake/handshake-source.ts';
import type { Denial, MaybePromise } from '../vocabulary/decision.ts';
import type { EventHub } from '../vocabulary/events.ts';
import type { Identity, RequestView, Socket } from '../vocabulary/ports.ts';
import { randomId } from '../vocabulary/random-id.ts';
import { NOWHERE, type Rostered } from '../vocabulary/roster.ts';
import type { Lease } from '../vocabulary/store-contract.ts';
import type { Admission } from './admission.ts';
import type { RouteContexts } from './contexts.ts';
import type { GuardFamily } from './family.ts';
import { authenticateFirstMessage } from './late-authentication.ts';
import type { Route } from './route.ts';

/** A handshake that has passed, until its socket is open or its slots are released. */
export class PassedHandshake<I extends Identity, M, R> implements Admission<I, M, R>, Rostered {
  place = NOWHERE;
  readonly denied = false;
  readonly identity: I | undefined;
  readonly subprotocol: string | undefined;
  readonly maxMessageBytes: number;
  readonly maxFragments: number;
  readonly maxChunks: number;
  readonly server: object | undefined;
  readonly #family: GuardFamily;
  readonly #route: Route;
  readonly #contexts: RouteContexts;
  readonly #address: string;
  readonly #client: Client | undefined;
  readonly #source: AttemptSource;
  readonly #path: string;
  /** Contains the host's own request, so it is dropped as soon as there is a connection. */
  #request: RequestView | undefined;
  readonly #lease: Lease;
  /** The slots of pending connections. Set if the client has yet to authenticate by its first message. */
  readonly #pendingLease: Lease | undefined;
  #spent = false;

  constructor(
    { context, path, server }: Handshake,
    family: GuardFamily,
    route: Route,
    contexts: RouteContexts,
  ) {
    this.#family = family;
    this.#route = route;
    this.#contexts = contexts;
    this.identity = context.identity as I | undefined;
    this.subprotocol = context.subprotocol;
    this.maxMessageBytes = route.rules.maxBytes;
    this.maxFragments = route.fragments;
    this.maxChunks = route.chunks;
    this.#address = context.address;
    this.#client = context.client;
    this.#source = sourceOf(context);
    this.#path = path;
    this.server = server;
    this.#request = context.view;
    this.#lease = context.lease as Lease;
    this.#pendingLease = context.pendingLease;
    family.registry.admissions.add(this);
  }

  get events(): EventHub {
    return this.#route.branch.events;
  }

  open(socket: Socket, onOpen: (connection: Connection<I, M, R>) => void): Receiver {
    this.#spend();
    if (this.#pendingLease !== undefined) return this.#wait(socket, this.#pendingLease, onOpen);
    const connection = this.#connect(socket, this.identity as Identity, this.#lease);
    if (connection.state === 'open') onOpen(connection as unknown as Connection<I, M, R>);
    return connection;
  }

  release(): void {
    if (this.#spent) return;
    this.#spent = true;
    this.withdraw();
  }

  /** Called at the end of a shutdown. Releases all slots. If a socket opens later, it is destroyed. */
  withdraw(): void {
    this.#lease.release();
    this.#pendingLease?.release();
    this.#family.settled(this, this.#route.branch);
  }

  #spend(): void {
    if (this.#spent) throw new TypeError('An admission opens once, or is released.');
    this.#spent = true;
  }

  #connect(socket: Socket, identity: Identity, lease: Lease): GuardedConnection {
    const { subprotocol, server } = this;
    const family = this.#family;
    // The connection must not keep the host's request, which would be most of its memory.
    const request = this.#route.rules.renewal
      ? ({ ...this.#request, native: undefined } as RequestView)
      : undefined;
    this.#request = undefined;
    const { bannable } = this.#source;
    const origin = {
      identity,
      subprotocol,
      lease,
      request,
      bannable,
      server,
      address: this.#address,
      path: this.#path,
    };
    const connection = new GuardedConnection(socket, origin, this.#contexts.connection);
    family.settled(this, this.#route.branch, connection);
    const tolerance = this.#contexts.connection.toleranceOf(identity);
    const held = family.verifier.refuses(identity, tolerance) ?? family.bans.refuses(this.#client);
    if (held !== undefined) connection.end(held.reason);
    return connection;
  }

  /** Waits for the first message, which authenticates. */
  #wait(socket: Socket, pendingLease: Lease, onOpen: (connection: Connection<I, M, R>) => void): Receiver {
    const origin = {
      id: randomId(),
      server: this.server,
      address: this.#address,
      path: this.#path,
      lease: this.#lease,
      pendingLease,
      authenticate: (message: unknown, signal: AbortSignal) => this.#authenticate(message, signal),
    };
    const pending = new Pending(socket, origin, this.#contexts.pending, (connection) =>
      onOpen(connection as unknown as Connection<I, M, R>),
    );
    this.#family.settled(this, this.#route.branch, pending);
    return pending;
  }

  #authenticate(message: unknown, signal: AbortSignal): MaybePromise<Authenticated | Denial> {
    const open = (identity: Identity, slot: Lease): Authenticated => ({
      open: (socket) => this.#connect(socket, identity, both(this.#lease, slot)),
      release: () => slot.release(),
    });
    const circumstances = { request: this.#request as RequestView, source: this.#source, signal };
    return authenticateFirstMessage(this.#family, this.#route, message, circumstances, open);
  }
}

function both(first: Lease, second: Lease): Lease {
  return {
    release() {
      first.release();
      second.release();
    },
    onLost(listener) {
      first.onLost(listener);
      second.onLost(listener);
    },
  };
}
