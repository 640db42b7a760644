import type { Ban, Revocation, StoreListener } from '@sallyport/core/store';
import type { RedisPort, Subscription } from '../clients/redis-port.ts';
import { Repeater } from '../repeater.ts';
import { parseMessage } from './news-message.ts';
import { type Audience, RevocationReader } from './revocation-reader.ts';
import type { RevocationStream } from './revocation-stream.ts';

/** Milliseconds between two reads, well below the 30 s for which a replica is trusted. */
const LONGEST_INTERVAL = 5_000;
const RETRY = 1_000;

/** Tells this node's listeners what other nodes have done, through publish/subscribe and by reading what was missed. */
export class News implements Audience {
  readonly #listeners = new Set<StoreListener>();
  readonly #reader: RevocationReader;
  readonly #readings: Repeater;
  #subscription: Subscription | undefined;

  constructor(
    readonly port: RedisPort,
    readonly stream: RevocationStream,
    readonly channel: string,
    readonly node: string,
    leaseTtl: number,
    readonly forgotten: () => void,
    readonly replaced: (key: string, holder: string) => void,
  ) {
    const interval = Math.min(leaseTtl / 3, LONGEST_INTERVAL);
    this.#reader = new RevocationReader(stream, this, interval);
    this.#readings = new Repeater(() => this.#read(), interval, Math.min(RETRY, interval));
  }

  subscribe(listener: StoreListener): () => void {
    // The same listener may subscribe twice.
    const own: StoreListener = {
      revoked: (revocation) => listener.revoked(revocation),
      banned: (ban) => listener.banned(ban),
      unbanned: (key) => listener.unbanned(key),
      known: () => listener.known(),
    };
    this.#listeners.add(own);
    this.#reader.restart();
    this.#subscription ??= this.port.subscribe(this.channel, {
      message: (text) => this.#hear(text),
      subscribed: () => this.#readings.now(),
    });
    this.#readings.start();
    this.#readings.now();
    return () => {
      if (!this.#listeners.delete(own) || this.#listeners.size > 0) return;
      this.#readings.stop();
      this.#subscription?.close();
      this.#subscription = undefined;
    };
  }

  staleness(): number {
    return this.#reader.staleness();
  }

  /** Reports this node's own revocation to its listeners before the call resolves. */
  revokedHere(id: string | undefined, revocation: Revocation): void {
    if (this.#listeners.size > 0) this.#reader.hear(id, revocation);
  }

  banned(ban: Ban): void {
    this.#tell((listener) => listener.banned(ban));
  }

  unbanned(key: string): void {
    this.#tell((listener) => listener.unbanned(key));
  }

  revoked(revocation: Revocation): boolean {
    return this.#tell((listener) => listener.revoked(revocation));
  }

  *known(): Iterable<Revocation> {
    for (const listener of this.#listeners) yield* listener.known();
  }

  async #read(): Promise<void> {
    this.#subscription?.refresh();
    await this.#reader.read();
  }

  #hear(text: string): void {
    const message = parseMessage(text);
    if (message === undefined) return;
    if (message.kind === 'read') this.#readings.now();
    else if (message.kind === 'revoked') this.#reader.hear(message.id, message.revocation);
    else if (message.kind === 'replaced') this.replaced(message.key, message.holder);
    else if (message.node === this.node) return;
    else if (message.kind === 'unban') this.unbanned(message.key);
    else
      this.banned({ key: message.key, until: Math.round(Date.now() + message.left), count: message.count });
  }

  /** Whether every listener took it. One that throws does not stop the others. */
  #tell(tell: (listener: StoreListener) => void): boolean {
    let taken = true;
    for (const listener of [...this.#listeners]) {
      try {
        tell(listener);
      } catch {
        taken = false;
      }
    }
    return taken;
  }
}
