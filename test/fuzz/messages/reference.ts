import type { MessageStage, Reason } from '@sallyport/core';
import { isMap, isWithinBounds } from './bounds.ts';
import { cleanedNote } from './cleaning.ts';
import type { Dialect } from './dialect.ts';
import { leavingOut } from './leaving-out.ts';
import { type Ids, type Opened, openers } from './reference-envelopes.ts';
import { validators } from './reference-schemas.ts';

/** The expected outcome of a message. */
export type Expected = Delivery | Refusal;

export interface Delivery {
  readonly type: string;
  readonly id: Ids;
  /** The body for the typed handler, without the type of a flat message. */
  readonly body: Readonly<Record<string, unknown>>;
  /** Whether that body differs from the received one. */
  readonly changed: boolean;
  readonly late: boolean;
}

export interface Refusal {
  readonly reason: Reason;
  readonly stage: MessageStage;
  readonly id: Ids;
  /** The received body, into which the pointer leads. */
  readonly body?: unknown;
  readonly type?: string;
  /** The possible pointers in the answer, if they are known. */
  readonly pointers?: readonly string[];
  readonly late: boolean;
}

/** A value that was read, and whether it has a repeated key; `undefined` if it is unreadable. */
export type Read = { readonly value: unknown; readonly repeats: boolean } | undefined;

/** Decides a message as the documentation says, in the order of the stages. */
export function expectedOf(read: Read, { envelope, codec }: Pick<Dialect, 'envelope' | 'codec'>): Expected {
  if (read === undefined) return { reason: 'message_malformed', stage: 'parse', id: 'unread', late: false };
  const opened = openers[envelope](read.value);
  if (opened === undefined || read.repeats || !isWithinBounds(read.value))
    return { reason: 'message_malformed', stage: 'parse', id: 'unaddressed', late: false };
  const { type, id, body } = opened;
  if (typeof type !== 'string' || !validators.has(type))
    return { reason: 'message_type_unknown', stage: 'schema', id, late: false };
  return afterSchema({ type, id, body }, codec === undefined ? (value) => value : withoutBytes);
}

function afterSchema(
  { type, id, body }: Opened & { readonly type: string },
  asJson: (value: unknown) => unknown,
): Expected {
  const invalid = { reason: 'message_invalid', stage: 'schema', id, type, body, late: false } as const;
  const passes = (value: unknown): value is Readonly<Record<string, unknown>> =>
    validators.get(type)?.(asJson(value)) === true;
  let taken = body;
  let changed = false;
  if (!passes(taken)) {
    taken = leavingOut[type]?.(body);
    if (!passes(taken)) return invalid;
    changed = true;
  }
  if (type === 'zod' && !('mode' in taken)) {
    taken = { ...taken, mode: 'slow' };
    changed = true;
  }
  if (type === 'note') {
    const cleaned = cleanedNote(taken as Readonly<Record<string, unknown>>);
    if (cleaned.refused.length > 0) return { ...invalid, stage: 'sanitize', pointers: cleaned.refused };
    taken = cleaned.body;
    changed = cleaned.changed;
  }
  const late = type === 'vote';
  const delivered = taken as Readonly<Record<string, unknown>>;
  return isAllowed(type, delivered)
    ? { type, id, body: delivered, changed, late }
    : { reason: 'message_forbidden', stage: 'message-authorization', id, late };
}

function isAllowed(type: string, body: Readonly<Record<string, unknown>>): boolean {
  if (type === 'nobody') return false;
  if (type === 'secret') return (body.level as number) < 4;
  if (type === 'vote') return [0, 2, 4, 6, 8].includes(body.n as number);
  return true;
}

/** Whether a value is an object for a schema. In JavaScript byte arrays are objects as well. */
function withoutBytes(value: unknown): unknown {
  if (value instanceof Uint8Array) return BYTES;
  if (Array.isArray(value)) return value.map(withoutBytes);
  if (!isMap(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutBytes(inner)]));
}
const BYTES = Symbol('bytes');
