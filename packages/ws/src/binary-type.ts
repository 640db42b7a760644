import type { WebSocket } from 'ws';

const CHOSEN: unique symbol = Symbol('sallyport.binaryType');

type BinaryType = WebSocket['binaryType'];
type WithChoice = WebSocket & { [CHOSEN]?: BinaryType };

const BINARY_TYPES: readonly BinaryType[] = ['nodebuffer', 'arraybuffer', 'fragments', 'blob' as BinaryType];

/**
 * The `binaryType` property of a guarded socket. ws itself stays at `nodebuffer`, because the guard counts and reads
 * `Buffer`s; what the application sets is kept here, and its listeners get messages in that form.
 */
export const guardedBinaryType: PropertyDescriptor & ThisType<WebSocket> = {
  get: chosenType,
  set: chooseType,
  configurable: true,
};

/** The bytes of a message in the form that the socket's `binaryType` names. */
export function asBinaryType(ws: WebSocket, data: Uint8Array): unknown {
  switch ((ws as WithChoice)[CHOSEN] as string | undefined) {
    case 'arraybuffer':
      return data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength);
    case 'fragments':
      return [data];
    case 'blob':
      return new Blob([data as Uint8Array<ArrayBuffer>]);
    default:
      return data;
  }
}

function chosenType(this: WithChoice): BinaryType {
  return this[CHOSEN] ?? 'nodebuffer';
}

/** An unknown type is ignored, as ws does. */
function chooseType(this: WithChoice, type: BinaryType): void {
  if (BINARY_TYPES.includes(type)) this[CHOSEN] = type;
}
