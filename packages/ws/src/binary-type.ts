import type { WebSocket } from 'ws';

const WANTED: unique symbol = Symbol('sallyport.binaryType');

type Form = WebSocket['binaryType'];
type Holding = WebSocket & { [WANTED]?: Form };

const FORMS: readonly Form[] = ['nodebuffer', 'arraybuffer', 'fragments', 'blob' as Form];

/**
 * Keeps ws at giving binary messages as `Buffer`s, which the guard can count and read; listeners get them in the form
 * that the application has set.
 */
export const heldBinaryType: PropertyDescriptor & ThisType<WebSocket> = {
  get: wanted,
  set: want,
  configurable: true,
};

/** A message's bytes as `binaryType` says. */
export function inWantedForm(ws: WebSocket, data: Uint8Array): unknown {
  switch ((ws as Holding)[WANTED] as string | undefined) {
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

function wanted(this: Holding): Form {
  return this[WANTED] ?? 'nodebuffer';
}

/** As in ws, what is no form changes nothing. */
function want(this: Holding, form: Form): void {
  if (FORMS.includes(form)) this[WANTED] = form;
}
