import type { MaybePromise } from '../vocabulary/decision.ts';
import type { SchemaNode } from '../wire/envelope.ts';
import { type Incoming, isRecord } from '../wire/incoming.ts';
import { escapeStep } from './json-pointer.ts';

/** Where a body is wrong, and which stage says so. */
export interface Mistake {
  readonly stage: 'schema' | 'sanitize';
  /** A JSON Pointer (RFC 6901); never what stood there. */
  readonly pointer: string;
}

/** The schema of one message type, compiled once. */
export interface Check {
  /** Whether a body fits as it came. Asked of what nobody has walked through yet, so that it goes only where its schema does. */
  fits(body: unknown): boolean;
  /**
   * Looks at a body, and replaces it by what stripping and sanitizing leave. Returns the mistake, `undefined` where there
   * is none; a promise only where the schema itself is asynchronous. `known` where it is known to fit.
   */
  look(incoming: Incoming, known?: boolean): MaybePromise<Mistake | undefined>;
  /**
   * Sanitizes a body that does not match its schema and is let through all the same: a stage that only reports must not
   * switch off one that does not. `undefined` where there is nothing to sanitize.
   */
  readonly sanitize: ((incoming: Incoming) => Mistake | undefined) | undefined;
  /** Whether code could be generated; without it a check is some hundred times slower. */
  readonly accelerated: boolean;
  /**
   * How many keys every body that passes has, where that is one number, and where a body that passes cannot break a
   * bound as long as its text is short: then nobody has to walk through it. Else `undefined`.
   */
  readonly fixedKeys: number | undefined;
  /** The body as a JSON Schema, for documents, without the type; `undefined` where the library tells none. */
  readonly document: SchemaNode | undefined;
}

/** A record's keys are the sender's own words, so that the pointer has to be bounded. */
const MAX_POINTER = 200;

/** A JSON Pointer (RFC 6901) of the keys on the way. */
export function pointerTo(path: readonly PropertyKey[]): string {
  const steps = path.map((key) => `/${escapeStep(String(key))}`);
  return cutPointer(steps.join(''));
}

export function cutPointer(pointer: string): string {
  return pointer.slice(0, MAX_POINTER);
}

/** A body beside the type that the envelope puts among its properties. */
export function withoutType(body: unknown): unknown {
  if (!isRecord(body)) return body;
  const { type: _type, ...rest } = body;
  return rest;
}
