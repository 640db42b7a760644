import { type FramedMessage, frameOf, type Receiver } from '@sallyport/core/host';
import type { WebSocket } from 'ws';
import { type Corkable, cork, rawSocket, uncork } from './cork.ts';
import { libraryOf } from './guarded-prototype.ts';

/** What the guard knows of a socket; kept on the socket itself, since each message asks for it. */
export const KNOWN: unique symbol = Symbol('sallyport.known');

export interface Known {
  /** Who is told what happens, and asked before something is sent; `undefined` until it is there. */
  readonly receiver: Receiver | undefined;
}

/** Set once a socket has sent something that ws works on after `send` has returned. */
const SHAPED: unique symbol = Symbol('sallyport.shaped');
/** Set while the application sends a message in parts: whatever comes next, ws takes for the next part. */
const UNFINISHED: unique symbol = Symbol('sallyport.unfinished');

type Done = (error?: Error) => void;
type SendOptions = { readonly fin?: boolean; readonly binary?: boolean; readonly mask?: boolean };
const NONE: SendOptions = {};

/** Bytes up to which a payload is copied behind its header. */
const SMALL = 16_384;
type Outgoing = WebSocket & { [KNOWN]?: Known; [SHAPED]?: boolean; [UNFINISHED]?: boolean };
interface Plain {
  send(data: unknown, options?: unknown, done?: Done): void;
  pong(data?: unknown, mask?: unknown, done?: Done): void;
  terminate(): void;
}

/**
 * Everything that a guarded socket sends goes through here, whoever sends it. The guard is asked whether it may still be
 * buffered; and what is sent in one tick leaves in one system call, which is most of what a small message costs: the raw
 * socket is corked by the first `send` of a tick and uncorked at its end. Order stays as it is, for close frames, pings
 * and pongs, too, since all of them go through the same socket; `bufferedAmount` counts what waits.
 */
export const outbound = { send, pong, terminate };

function send(this: Outgoing, data: unknown, options?: unknown, done?: Done): void {
  const callback = typeof options === 'function' ? (options as Done) : done;
  const { fin, binary, mask } =
    typeof options === 'object' && options !== null ? (options as SendOptions) : NONE;
  const unfinished = fin === false;
  const bytes = sizeOf(data);
  if (!mayBuffer(this, bytes, unfinished || this[UNFINISHED])) {
    refuse(callback);
    return;
  }
  const socket = rawSocket(this);
  if (
    socket !== undefined &&
    fin === undefined &&
    mask === undefined &&
    isSmall(data, bytes) &&
    writesPlainly(this)
  ) {
    writeFrame(socket, frameOf(data, binary), callback);
    return;
  }
  if (unfinished !== (this[UNFINISHED] === true)) this[UNFINISHED] = unfinished;
  // It is read first, so that what is written meanwhile would overtake it.
  if (isBlob(data)) this[SHAPED] = true;
  if (socket !== undefined) cork(socket);
  plain(this).send.call(this, data, options, done);
}

/** Sends what is framed already: as it is, where ws would have written nothing else. */
export function sendFramed(ws: WebSocket, { data, frame }: FramedMessage): boolean {
  const socket = openSocket(ws);
  if (socket === undefined || !mayBuffer(ws, frame.byteLength)) return false;
  if (writesPlainly(ws)) writeFrame(socket, frame);
  else plain(ws).send.call(ws, data, ignore);
  return true;
}

/** Sends a message of the guard's own; says whether it was taken. */
export function sendMessage(ws: WebSocket, data: string | Uint8Array): boolean {
  const socket = openSocket(ws);
  const bytes = sizeOf(data);
  if (socket === undefined || !mayBuffer(ws, bytes)) return false;
  if (bytes <= SMALL && writesPlainly(ws)) {
    writeFrame(socket, frameOf(data));
    return true;
  }
  cork(socket);
  plain(ws).send.call(ws, data, ignore);
  return true;
}

/**
 * Whether ws would write a whole message as one plain frame at once: nothing is compressed, no message is being sent in
 * parts, and nothing is being worked on that has to go first.
 */
function writesPlainly(ws: Outgoing): boolean {
  return ws.readyState === ws.OPEN && ws.extensions === '' && ws[SHAPED] !== true && ws[UNFINISHED] !== true;
}

/** Header and payload in one piece: ws writes them apart, and the system call that takes both costs more than the copy. */
function writeFrame(socket: Corkable, frame: Uint8Array, done?: Done): void {
  cork(socket);
  if (done === undefined) socket.write(frame);
  else socket.write(frame, done as (error?: Error | null) => void);
}

function isSmall(data: unknown, bytes: number): data is string | Uint8Array {
  return bytes <= SMALL && (typeof data === 'string' || data instanceof Uint8Array);
}

/** ws answers pings by itself, also those of a peer that reads none of the answers. */
function pong(this: Outgoing, data?: unknown, mask?: unknown, done?: Done): void {
  if (mayBuffer(this, sizeOf(data ?? ''))) plain(this).pong.call(this, data, mask, done);
  else
    refuse(typeof data === 'function' ? (data as Done) : typeof mask === 'function' ? (mask as Done) : done);
}

/** Dropping a socket must not take back what was sent before. */
function terminate(this: WebSocket): void {
  const socket = rawSocket(this);
  if (socket !== undefined) uncork(socket);
  plain(this).terminate.call(this);
}

/** The raw socket, where a whole message may be written to it now. */
function openSocket(ws: Outgoing): Corkable | undefined {
  return ws.readyState === ws.OPEN && ws[UNFINISHED] !== true ? rawSocket(ws) : undefined;
}

function mayBuffer(ws: Outgoing, bytes: number, part = false): boolean {
  return ws[KNOWN]?.receiver?.mayBuffer(bytes, ws.bufferedAmount, part) ?? true;
}

/** As ws tells of what it cannot send: later, and never by a throw. */
function refuse(done: Done | undefined): void {
  if (done !== undefined)
    process.nextTick(done, new Error('The message was not sent: the peer reads too slowly.'));
}

/** Bytes of a payload. */
function sizeOf(data: unknown): number {
  if (typeof data === 'string') return Buffer.byteLength(data);
  if (isBlob(data)) return data.size;
  if (Array.isArray(data)) return data.reduce((sum: number, part) => sum + sizeOf(part), 0);
  return (data as { byteLength?: number } | null | undefined)?.byteLength ?? String(data).length;
}

function isBlob(data: unknown): data is Blob {
  return (
    typeof data === 'object' &&
    data !== null &&
    (data as { size?: unknown }).size !== undefined &&
    typeof (data as { arrayBuffer?: unknown }).arrayBuffer === 'function'
  );
}

/** What the library itself does. */
function plain(ws: WebSocket): Plain {
  return libraryOf(ws) as unknown as Plain;
}

function ignore(): void {}
