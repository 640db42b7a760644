import { memoryStore } from '@sallyport/core';
import { ManualClock } from '../../../packages/core/test/support/manual-clock.ts';
import { type Realm, type StoreKind, StoreNode } from './store.ts';

class MemoryRealm implements Realm {
  readonly #clock = new ManualClock();
  readonly #node = new StoreNode(memoryStore({ clock: this.#clock }), () => {});

  /** The memory of a process has one node only. */
  async node(): Promise<StoreNode> {
    return this.#node;
  }

  async pass(ms: number): Promise<void> {
    this.#clock.advance(ms);
  }

  disconnect = unsupported;
  forget = unsupported;
  keys = unsupported;

  async close(): Promise<void> {
    this.#node.close();
  }
}

function unsupported(): never {
  throw new Error('The memory of a process is its own.');
}

export const memory: StoreKind = {
  name: 'memory',
  capabilities: { shared: false },
  async start() {
    return { realm: () => new MemoryRealm(), close: async () => {} };
  },
};
