import type { MaybePromise } from '../vocabulary/decision.ts';
import type { SchemaNode } from '../wire/envelope.ts';
import { type Incoming, isRecord } from '../wire/incoming.ts';
import { escapeStep } from './json-pointer.ts';

export interface Mistake {
  readonly stage: 'schema' | 'sanitize';
  /** A JSON Pointer (RFC 6901). It holds no values of the message. */
  readonly pointer: string;
}

/** The schema of one message type, compiled once. */
export interface Check {
  /**
   * Whether a body fits unchanged. It must visit only what the schema names, because the body's bounds were not
   * checked yet.
   */
  fits(body: unknown): boolean;
  /**
   * Checks a body and replaces it by the stripped and sanitized one. A promise only if the schema is asynchronous.
   * `known`: the body is known to fit.
   */
  look(incoming: Incoming, known?: boolean): MaybePromise<Mistake | undefined>;
  /**
   * Sanitizes a body that does not match its schema, for a report-only schema stage. `undefined` if there is nothing
   * to sanitize.
   */
  readonly sanitize: ((incoming: Incoming) => Mistake | undefined) | undefined;
  /** False if no code could be generated. Then a check is some hundred times slower. */
  readonly accelerated: boolean;
  /**
   * The number of keys of every body that fits, if it is constant and no such body can exceed a bound. Such a body
   * need not be walked through.
   */
  readonly fixedKeys: number | undefined;
  /** The body's JSON Schema without the type, for documents; `undefined` if the library has none. */
  readonly document: SchemaNode | undefined;
}

/** A record's keys come from the sender, so the pointer is cut. */
const MAX_POINTER = 200;

export function pointerTo(path: readonly PropertyKey[]): string {
  const steps = path.map((key) => `/${escapeStep(String(key))}`);
  return cutPointer(steps.join(''));
}

function cutPointer(pointer: string): string {
  return pointer.slice(0, MAX_POINTER);
}

/** A body beside the type that the envelope puts among its properties. */
export function withoutType(body: unknown): unknown {
  if (!isRecord(body)) return body;
  const { type: _type, ...rest } = body;
  return rest;
}
