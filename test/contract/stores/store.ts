import type { Revocation, Store, StoreListener } from '@sallyport/core/store';

/** What a store can do. A test for something that a store cannot do is not run there, and the reason stands here. */
interface StoreCapabilities {
  /**
   * Several nodes share it, so that one of them can crash, lose its connection, or come later. The memory of a process
   * ends with the process.
   */
  readonly shared: boolean;
}

export interface NodeOptions {
  /** Milliseconds. */
  readonly leaseTtl?: number;
}

/** A node of the application: a process of its own, as far as the store can tell. */
export class StoreNode {
  readonly #ends: (() => void)[] = [];

  #disconnect: (() => void) | undefined;

  constructor(
    readonly store: Store,
    disconnect: () => void,
  ) {
    this.#disconnect = disconnect;
  }

  /** Subscribes until the returned function is called, or the test is over. */
  listen(ear: StoreListener): () => void {
    const end = this.store.subscribe(ear);
    this.#ends.push(end);
    return end;
  }

  /** Nothing is given back. */
  crash(): void {
    this.#disconnect?.();
    this.#disconnect = undefined;
  }

  close(): void {
    for (const end of this.#ends) end();
    this.crash();
  }
}

/** A state of its own, empty at first, that any number of nodes share. */
export interface Realm {
  node(options?: NodeOptions): Promise<StoreNode>;
  /** Lets so many milliseconds of the store's time pass. */
  pass(ms: number): Promise<void>;
  /** Ends the connections of all nodes for a moment. Of shared stores only. */
  disconnect(): Promise<void>;
  /** The store forgets everything. Of shared stores only. */
  forget(): Promise<void>;
  /** Keys by the milliseconds that are left of them, -1 for one that stays for ever. Of shared stores only. */
  keys(): Promise<ReadonlyMap<string, number>>;
  /** Ends what the nodes have open, subscriptions included. */
  close(): Promise<void>;
}

export interface World {
  realm(): Realm;
  close(): Promise<void>;
}

export interface StoreKind {
  readonly name: string;
  readonly capabilities: StoreCapabilities;
  /** What it runs on, once for all its tests. */
  start(program: string): Promise<World>;
}

/** What a test is given: a realm for each, and what the store can do. */
export interface Subject {
  readonly capabilities: StoreCapabilities;
  readonly realm: Realm;
}

/** A listener that writes down what it hears, and still knows what it has heard to be revoked. */
export class Ear implements StoreListener {
  readonly heard: string[] = [];
  readonly revocations: Revocation[] = [];

  revoked(revocation: Revocation): void {
    this.revocations.push(revocation);
    this.heard.push(`revoked ${revocation.subject ?? revocation.session ?? revocation.tokenId}`);
  }

  banned({ key, count }: { key: string; count: number }): void {
    this.heard.push(`banned ${key} ${count}`);
  }

  unbanned(key: string): void {
    this.heard.push(`unbanned ${key}`);
  }

  known(): readonly Revocation[] {
    return this.revocations;
  }
}
