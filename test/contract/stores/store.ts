import type { Revocation, Store, StoreListener } from '@sallyport/core/store';

/** What a store can do. Tests for what a store cannot do are left out for it, for the reason given here. */
interface StoreCapabilities {
  /**
   * Several nodes share it, so that one of them can crash, lose its connection or join later. The memory store belongs to one
   * process.
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

  /** Ends the node without releasing anything. */
  crash(): void {
    this.#disconnect?.();
    this.#disconnect = undefined;
  }

  close(): void {
    for (const end of this.#ends) end();
    this.crash();
  }
}

/** A separate, empty state that any number of nodes share. */
export interface Realm {
  node(options?: NodeOptions): Promise<StoreNode>;
  /** Lets this many milliseconds of the store's time pass. */
  pass(ms: number): Promise<void>;
  /** Ends the connections of all nodes for a moment. Shared stores only. */
  disconnect(): Promise<void>;
  /** Makes the store forget everything. Shared stores only. */
  forget(): Promise<void>;
  /** Keys and the milliseconds until each expires; -1 for a key that never does. Shared stores only. */
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
  /** Starts the servers, once for all tests of this store. */
  start(program: string): Promise<World>;
}

/** What a test gets: a realm of its own, and what the store can do. */
export interface Subject {
  readonly capabilities: StoreCapabilities;
  readonly realm: Realm;
}

/** A listener that records what it hears, and reports the revocations among it as known. */
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
