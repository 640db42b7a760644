import { Duplex } from 'node:stream';
import { hostGuard } from '@sallyport/core/host';
import { endSoon } from './http-refusal.ts';
import type { Upgrade } from './upgrade.ts';

/**
 * Stands in for the raw socket of an upgrade below an application's response. Writes are discarded until the response turns
 * out to be a refusal, and then forwarded to the raw socket. So the raw socket can become a WebSocket while the application
 * still has its response.
 */
export class StandInSocket extends Duplex {
  #state: 'undecided' | 'forwarding' | 'discarding' = 'undecided';

  constructor(readonly upgrade: Upgrade) {
    super();
    this.on('error', ignore);
    upgrade.socket.once('close', () => this.destroy());
  }

  get undecided(): boolean {
    return this.#state === 'undecided';
  }

  /** Forwards the refusal that begins now. The application has `limits.closeTimeout` to finish it. Emits `forward`. */
  forward(): void {
    const { upgrade } = this;
    if (upgrade.done) {
      this.detach();
      return;
    }
    this.#state = 'forwarding';
    upgrade.answered();
    this.emit('forward');
    const host = hostGuard(upgrade.guard);
    const cancel = host.schedule(host.limits.closeTimeout, () => upgrade.socket.destroy());
    upgrade.socket.once('close', cancel);
  }

  /** Discards what is written from now on. */
  discard(): void {
    this.#state = 'discarding';
  }

  /** Discards what is written from now on, and closes, so that streams piped into the response end. */
  detach(): void {
    this.discard();
    this.destroy();
  }

  // What middleware and Node ask of a response's socket.
  get remoteAddress(): string | undefined {
    return this.upgrade.request.socket?.remoteAddress;
  }

  setTimeout(): this {
    return this;
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (this.#state === 'forwarding') this.upgrade.socket.write(chunk, () => done());
    else done();
  }

  override _final(done: () => void): void {
    if (this.#state === 'forwarding') endSoon(this.upgrade.socket, this.upgrade.guard);
    done();
  }

  /** An application that destroys its response wants the client's connection to end. */
  override _destroy(_error: Error | null, done: () => void): void {
    if (this.#state !== 'discarding') this.upgrade.socket.destroy();
    done();
  }
}

function ignore(): void {}
