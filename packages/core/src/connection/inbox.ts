import { isPromise, type MaybePromise, settled } from '../vocabulary/decision.ts';

/** What handles the messages of an inbox. */
export interface InboxOwner {
  /** Handles one message. If it returns a promise, later messages wait for that. */
  handle(data: Uint8Array | string, isBinary: boolean): MaybePromise<unknown>;
  /** Called with the error that `handle` threw or rejected with. */
  failed(error: unknown): void;
  /** Called after `reportEmpty`, whenever no message is left. */
  emptied(): void;
  /** Stops reading the socket. */
  pauseReading(): void;
  resumeReading(): void;
}

/** A message as it was received. */
export interface Waiting {
  readonly data: Uint8Array | string;
  readonly isBinary: boolean;
}

/**
 * Keeps one connection's messages in order while handlers are asynchronous. At the limit it stops reading the socket, so
 * that TCP holds the sender back and nothing is lost. Messages in the chunk that was already read are still added.
 */
export class Inbox {
  #busy = false;
  #paused = false;
  #closed = false;
  #reportsEmpty = false;
  #queue: Waiting[] | undefined;

  constructor(
    readonly owner: InboxOwner,
    readonly limit: number,
  ) {}

  /** Whether no message is being handled, now or until a promise settles, and none waits. */
  get isEmpty(): boolean {
    return !this.#busy && (this.#queue === undefined || this.#queue.length === 0);
  }

  put(data: Uint8Array | string, isBinary: boolean): void {
    if (this.#busy) {
      this.#wait({ data, isBinary });
      return;
    }
    this.#process(data, isBinary);
    // A handler may have added messages to the queue while it ran.
    if (!this.#busy && this.#queue !== undefined && this.#queue.length > 0) this.#next();
    else this.#report();
  }

  /** From now on the owner is told whenever no message is left. */
  reportEmpty(): void {
    this.#reportsEmpty = true;
  }

  /** Gives up the messages that wait behind the one that is being handled. */
  giveUp(refuse: (waiting: Waiting) => void): void {
    for (const waiting of this.#queue?.splice(0) ?? []) refuse(waiting);
    this.#resume();
  }

  /** Stops handling messages, and reads the socket again, for the closing handshake. */
  close(): void {
    this.#closed = true;
    this.#queue = undefined;
    this.#resume();
  }

  #process(data: Uint8Array | string, isBinary: boolean): void {
    let work: MaybePromise<unknown>;
    this.#busy = true;
    try {
      work = this.owner.handle(data, isBinary);
    } catch (error) {
      this.owner.failed(error);
    }
    if (!isPromise(work)) {
      this.#busy = false;
      return;
    }
    settled(work).then(
      () => this.#next(),
      (error) => {
        this.owner.failed(error);
        this.#next();
      },
    );
  }

  #wait(message: Waiting): void {
    this.#queue ??= [];
    this.#queue.push(message);
    if (this.#queue.length < this.limit || this.#paused) return;
    this.#paused = true;
    this.owner.pauseReading();
  }

  #report(): void {
    if (this.#reportsEmpty && this.isEmpty) this.owner.emptied();
  }

  #next(): void {
    this.#busy = false;
    while (!(this.#busy || this.#closed)) {
      const message = this.#queue?.shift();
      if (message === undefined) break;
      this.#process(message.data, message.isBinary);
    }
    if ((this.#queue?.length ?? 0) < this.limit) this.#resume();
    this.#report();
  }

  #resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.owner.resumeReading();
  }
}
