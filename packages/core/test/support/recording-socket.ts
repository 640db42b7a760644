import type { FramedMessage, Socket } from '@sallyport/core/host';

/** The guard's side of a WebSocket without a network: remembers what was asked of it, in order. */
export class RecordingSocket implements Socket {
  readonly sent: unknown[] = [];
  readonly closes: { readonly code: number; readonly reason: string }[] = [];
  readonly delivered: (Uint8Array | string)[] = [];
  /** `ping`, `pause`, `resume` and `terminate`, as they came. */
  readonly calls: string[] = [];
  /** What the network has brought; a peer that is `alive` says something before each look. */
  read = 0;
  alive = true;
  /** Whether nobody reads it, whoever that was. */
  held = false;
  /** Whether it has room for what is sent. */
  taking = true;
  /** How often a message came framed already. */
  framed = 0;
  /** Stands for the listeners that were written for the bare library. */
  onDeliver: (data: Uint8Array | string, isBinary: boolean) => unknown = () => undefined;

  send(data: string | Uint8Array): boolean {
    if (!this.taking) return false;
    this.sent.push(typeof data === 'string' ? JSON.parse(data) : data);
    return true;
  }

  sendFramed({ data }: FramedMessage): boolean {
    this.framed++;
    return this.send(data);
  }

  listens(): boolean {
    return true;
  }

  close(code: number, reason: string): void {
    this.closes.push({ code, reason });
  }

  terminate(): void {
    this.calls.push('terminate');
  }

  ping(): void {
    this.calls.push('ping');
  }

  isHeld(): boolean {
    return this.held;
  }

  bytesRead(): number {
    return this.alive ? ++this.read : this.read;
  }

  pause(): void {
    this.calls.push('pause');
  }

  resume(): void {
    this.calls.push('resume');
  }

  deliver(data: Uint8Array | string, isBinary: boolean): unknown {
    this.delivered.push(data);
    return this.onDeliver(data, isBinary);
  }
}
