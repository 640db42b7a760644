import type { GuardedConnection } from '../connection/guarded-connection.ts';
import type { Pending } from '../connection/pending.ts';
import type { EventHub } from '../vocabulary/events.ts';
import type { Reason } from '../vocabulary/reasons.ts';
import type { Withdrawable } from './registry.ts';
import type { Shutdown } from './shutdown.ts';
import { Tally } from './tally.ts';

/** What one guard of a family has for itself and its extensions: its events, its numbers and its shutdown. */
export class Branch {
  readonly tally = new Tally();
  /** `undefined` until `close` is called on this guard. */
  ownShutdown: Shutdown | undefined;
  /** This branch, and those of the guards that it extends. */
  readonly #line: readonly Branch[];

  constructor(
    readonly events: EventHub,
    /** The branch of the guard that this one extends. */
    readonly parent?: Branch,
  ) {
    this.#line = parent === undefined ? [this] : [this, ...parent.#line];
    this.tally.follow(events);
  }

  /** The shutdown of this guard, or of one that it extends; `undefined` if none has begun. */
  get shutdown(): Shutdown | undefined {
    return this.ownShutdown ?? this.parent?.shutdown;
  }

  admitted(): void {
    for (const { tally } of this.#line) tally.admitted++;
  }

  opened(): void {
    for (const { tally } of this.#line) tally.connections++;
  }

  closed(connection: GuardedConnection, reason: Reason | undefined): void {
    for (const { tally } of this.#line) tally.connectionClosed(reason);
    this.left(connection);
  }

  /** Called when a connection is to authenticate by its first message. */
  waits(): void {
    for (const { tally } of this.#line) tally.pending++;
  }

  /** Called when it has authenticated, or is being closed. */
  waited(): void {
    for (const { tally } of this.#line) tally.pending--;
  }

  /** Called when a socket has closed. */
  left(socket: GuardedConnection | Pending): void {
    for (const { ownShutdown } of this.#line) ownShutdown?.left(socket);
  }

  /** Called when an admission has become a `socket`, or was released (no `socket`). */
  settled(admission: Withdrawable, socket?: GuardedConnection | Pending): void {
    for (const { ownShutdown } of this.#line) ownShutdown?.settled(admission, socket);
  }
}
