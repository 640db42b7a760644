import { isPromise, type MaybePromise, settled } from '../decision.ts';

/** Who handles the messages of an inbox. */
export interface InboxOwner {
  /** Handles one message; a promise makes those that come later wait for it. */
  handle(data: Uint8Array | string, isBinary: boolean): MaybePromise<unknown>;
  /** What `handle` threw or rejected with. */
  failed(error: unknown): void;
  /** The socket is not read. */
  hold(): void;
  letGo(): void;
}

interface Waiting {
  readonly data: Uint8Array | string;
  readonly isBinary: boolean;
}

/**
 * Keeps one connection's messages in order while handlers are asynchronous. At its limit the socket is not read, so
 * that TCP pushes back and nothing is lost; what is in the chunk being read still comes.
 */
export class Inbox {
  #busy = false;
  #paused = false;
  #closed = false;
  #queue: Waiting[] | undefined;
  #finished: (() => void) | undefined;

  constructor(
    readonly owner: InboxOwner,
    readonly limit: number,
  ) {}

  put(data: Uint8Array | string, isBinary: boolean): void {
    if (this.#closed) return;
    if (this.#busy) this.#wait({ data, isBinary });
    else this.#process(data, isBinary);
  }

  /** Handles nothing more; the socket is read again, for the closing handshake. */
  close(): void {
    this.#closed = true;
    this.#queue = undefined;
    this.#resume();
  }

  /** Handles nothing more, and calls back once what is being handled has ended. */
  finish(finished: () => void): void {
    this.close();
    if (this.#busy) this.#finished = finished;
    else finished();
  }

  #process(data: Uint8Array | string, isBinary: boolean): void {
    let work: MaybePromise<unknown>;
    try {
      work = this.owner.handle(data, isBinary);
    } catch (error) {
      this.owner.failed(error);
      return;
    }
    if (!isPromise(work)) return;
    this.#busy = true;
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
    this.owner.hold();
  }

  #next(): void {
    this.#busy = false;
    this.#finished?.();
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
    this.owner.letGo();
  }
}
