import { isPromise, type MaybePromise, settled } from '../vocabulary/decision.ts';

/** What handles the messages of an inbox. */
export interface InboxOwner {
  /** Handles one message. If it returns a promise, later messages wait for that. */
  handle(data: Uint8Array | string, isBinary: boolean): MaybePromise<unknown>;
  /** Called with the error that `handle` threw or rejected with. */
  failed(error: unknown): void;
  /** Called when the message that was being handled at the time of `close` is done. */
  finished(): void;
  /** Stops reading the socket. */
  pauseReading(): void;
  resumeReading(): void;
}

interface Waiting {
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
  #queue: Waiting[] | undefined;

  constructor(
    readonly owner: InboxOwner,
    readonly limit: number,
  ) {}

  /** Whether a message is being handled, now or until a promise settles. */
  get isBusy(): boolean {
    return this.#busy;
  }

  put(data: Uint8Array | string, isBinary: boolean): void {
    if (this.#busy) {
      this.#wait({ data, isBinary });
      return;
    }
    this.#process(data, isBinary);
    // A handler may have added messages to the queue while it ran.
    if (!this.#busy && this.#queue !== undefined && this.#queue.length > 0) this.#next();
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
      this.#idle();
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

  #idle(): void {
    this.#busy = false;
    if (this.#closed) this.owner.finished();
  }

  #next(): void {
    if (this.#busy) this.#idle();
    while (!(this.#busy || this.#closed)) {
      const message = this.#queue?.shift();
      if (message === undefined) break;
      this.#process(message.data, message.isBinary);
    }
    if ((this.#queue?.length ?? 0) < this.limit) this.#resume();
  }

  #resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.owner.resumeReading();
  }
}
