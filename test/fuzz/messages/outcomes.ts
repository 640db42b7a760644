import type { Connection } from '@sallyport/core';
import type { FramedMessage, Socket } from '@sallyport/core/host';

/** One outcome of a message: an answer, a handler's call, an event. */
export type Outcome =
  | { readonly kind: 'handled'; readonly type: string; readonly body: unknown }
  | { readonly kind: 'passed on'; readonly data: Uint8Array | string; readonly isBinary: boolean }
  | { readonly kind: 'answered'; readonly data: Uint8Array | string }
  | { readonly kind: 'ended'; readonly how: string };

/** A socket that records what the guard does with it. */
export class Outcomes implements Socket {
  #list: Outcome[] = [];
  paused = false;

  /** All outcomes since the last call. */
  take(): Outcome[] {
    const taken = this.#list;
    this.#list = [];
    return taken;
  }

  /** Adds typed handlers for these types that record what they get. */
  handle(connection: Connection, types: readonly string[]): void {
    for (const type of types) {
      connection.on(type, (body) => void this.#list.push({ kind: 'handled', type, body }));
    }
  }

  send(data: string | Uint8Array): boolean {
    this.#list.push({ kind: 'answered', data });
    return true;
  }

  sendFramed({ data }: FramedMessage): boolean {
    return this.send(data);
  }

  listens(): boolean {
    return true;
  }

  deliver(data: Uint8Array | string, isBinary: boolean): undefined {
    this.#list.push({ kind: 'passed on', data, isBinary });
  }

  close(code: number): void {
    this.#list.push({ kind: 'ended', how: `closed with ${code}` });
  }

  terminate(): void {
    this.#list.push({ kind: 'ended', how: 'terminated' });
  }

  ping(): void {}

  isHeld(): boolean {
    return this.paused;
  }

  bytesRead(): number {
    return 0;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }
}
