import { type FramedMessage, frameOf, type Receiver } from '@sallyport/core/host';
import type { WebSocket } from 'ws';
import { type Corkable, cork, rawSocket, uncork } from './cork.ts';
import { libraryOf } from './guarded-prototype.ts';

/** The property of a guarded socket that holds its `GuardState`. A `WeakMap` would be slower, and each message reads it. */
export const GUARD_STATE: unique symbol = Symbol('sallyport.guard');

/** What the guard knows of a socket. */
export interface GuardState {
  /** Told what happens on the socket, and asked before something is sent. `undefined` until the admission is opened. */
  readonly receiver: Receiver | undefined;
}

/** Set once a socket has sent a Blob, which ws reads after `send` has returned. */
const ASYNC: unique symbol = Symbol('sallyport.async');
/** Set while the application sends a message in parts: ws takes whatever is sent next for the next part. */
const UNFINISHED: unique symbol = Symbol('sallyport.unfinished');

type Done = (error?: Error) => void;
type SendOptions = { readonly fin?: boolean; readonly binary?: boolean; readonly mask?: boolean };
const NONE: SendOptions = {};

/** Bytes up to which a payload is copied behind its header, into one frame. */
const SMALL = 16_384;
type Outgoing = WebSocket & { [GUARD_STATE]?: GuardState; [ASYNC]?: boolean; [UNFINISHED]?: boolean };
interface Library {
  send(data: unknown, options?: unknown, done?: Done): void;
  ping(data?: unknown, mask?: unknown, done?: unknown): void;
  pong(data?: unknown, mask?: unknown, done?: unknown): void;
  terminate(): void;
}

/**
 * The overridden methods through which a guarded socket sends. They ask the guard whether the bytes may be buffered, and send
 * all of one tick in one system call, which is most of the cost of a small message: the first `send` of a tick corks the raw
 * socket, and the end of the tick uncorks it. Close frames, pings and pongs go through the same socket, so the order is kept;
 * `bufferedAmount` counts what is waiting.
 */
export const outbound = { send, ping, pong, terminate };

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
  // ws reads a Blob before it writes it, so a frame that we wrote meanwhile would overtake the Blob.
  if (isBlob(data)) this[ASYNC] = true;
  if (socket !== undefined) cork(socket);
  library(this).send.call(this, data, options, done);
}

/** Sends a message that is framed already; ws frames it anew where it would write another frame. Returns whether it was taken. */
export function sendFramed(ws: WebSocket, { data, frame }: FramedMessage): boolean {
  const socket = openSocket(ws);
  if (socket === undefined || !mayBuffer(ws, frame.byteLength)) return false;
  if (writesPlainly(ws)) writeFrame(socket, frame);
  else library(ws).send.call(ws, data, ignore);
  return true;
}

/** Sends a message of the guard. Returns whether it was taken. */
export function sendMessage(ws: WebSocket, data: string | Uint8Array): boolean {
  const socket = openSocket(ws);
  const bytes = sizeOf(data);
  if (socket === undefined || !mayBuffer(ws, bytes)) return false;
  if (bytes <= SMALL && writesPlainly(ws)) {
    writeFrame(socket, frameOf(data));
    return true;
  }
  cork(socket);
  library(ws).send.call(ws, data, ignore);
  return true;
}

/**
 * Whether ws would write a whole message as one plain frame at once: no compression, no message that is being sent in parts,
 * and no Blob that has to go first.
 */
function writesPlainly(ws: Outgoing): boolean {
  return ws.readyState === ws.OPEN && ws.extensions === '' && ws[ASYNC] !== true && ws[UNFINISHED] !== true;
}

/** Writes header and payload as one chunk. ws writes two, and a system call for two costs more than the copy. */
function writeFrame(socket: Corkable, frame: Uint8Array, done?: Done): void {
  cork(socket);
  if (done === undefined) socket.write(frame);
  else socket.write(frame, done as (error?: Error | null) => void);
}

function isSmall(data: unknown, bytes: number): data is string | Uint8Array {
  return bytes <= SMALL && (typeof data === 'string' || data instanceof Uint8Array);
}

function ping(this: Outgoing, data?: unknown, mask?: unknown, done?: unknown): void {
  if (mayControl(this, data, mask, done)) library(this).ping.call(this, data, mask, done);
}

/** Bounds also the pongs that ws sends by itself, which a peer that sends pings and reads nothing would pile up. */
function pong(this: Outgoing, data?: unknown, mask?: unknown, done?: unknown): void {
  if (mayControl(this, data, mask, done)) library(this).pong.call(this, data, mask, done);
}

/** Sends a ping of the guard. There is one in each `limits.heartbeat` at most, so it counts towards no limit. */
export function sendPing(ws: WebSocket): void {
  if (ws.readyState === ws.OPEN) library(ws).ping.call(ws);
}

/** Whether a ping or pong may be buffered. ws takes the callback at each of the three places. */
function mayControl(ws: Outgoing, ...[data, mask, done]: unknown[]): boolean {
  const payload = typeof data === 'function' ? '' : (data ?? '');
  if (mayBuffer(ws, sizeOf(payload))) return true;
  refuse([data, mask, done].find((given) => typeof given === 'function') as Done | undefined);
  return false;
}

/** Flushes what was sent in this tick before the socket is destroyed. */
function terminate(this: WebSocket): void {
  const socket = rawSocket(this);
  if (socket !== undefined) uncork(socket);
  library(this).terminate.call(this);
}

/** The raw socket, if a whole message may be written to it now. */
function openSocket(ws: Outgoing): Corkable | undefined {
  return ws.readyState === ws.OPEN && ws[UNFINISHED] !== true ? rawSocket(ws) : undefined;
}

function mayBuffer(ws: Outgoing, bytes: number, part = false): boolean {
  return ws[GUARD_STATE]?.receiver?.mayBuffer(bytes, ws.bufferedAmount, part) ?? true;
}

/** Reports what was not sent as ws does: to the callback in the next tick, and never by a throw. */
function refuse(done: Done | undefined): void {
  if (done !== undefined) process.nextTick(done, new Error('Not sent: the peer reads too slowly.'));
}

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

function library(ws: WebSocket): Library {
  return libraryOf(ws) as unknown as Library;
}

function ignore(): void {}
