import { isPromise } from '../vocabulary/decision.ts';
import type { EventHub } from '../vocabulary/events.ts';
import type { Connection } from './connection.ts';

/** A listener of `connection.onClose`. */
export type CloseListener = Parameters<Connection['onClose']>[0];
export type CloseEvent = Parameters<CloseListener>[0];

/** Tells the application that a connection has closed: the listeners of `onClose`, and `signal`. Created on first use. */
export class CloseNotice {
  readonly #listeners: CloseListener[] = [];
  #abort: AbortController | undefined;

  /** @param event The end, if the connection has closed already. */
  constructor(
    readonly events: EventHub,
    private event: CloseEvent | undefined,
  ) {}

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.event !== undefined) this.#abort.abort();
    }
    return this.#abort.signal;
  }

  add(listener: CloseListener): void {
    const { event } = this;
    if (event === undefined) this.#listeners.push(listener);
    // Never during its registration, for which its code may not be ready.
    else queueMicrotask(() => this.#tell(listener, event));
  }

  give(event: CloseEvent): void {
    this.event = event;
    this.#abort?.abort();
    for (const listener of this.#listeners) this.#tell(listener, event);
  }

  /** Calls a listener. If it throws or rejects, that is reported as a fault, and the other listeners are still called. */
  #tell(listener: CloseListener, event: CloseEvent): void {
    const fault = (error: unknown): void => this.events.fault('dispatch', error);
    try {
      const answer = listener(event);
      if (isPromise(answer)) answer.then(undefined, fault);
    } catch (error) {
      fault(error);
    }
  }
}
