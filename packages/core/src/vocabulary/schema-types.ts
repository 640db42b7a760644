import type { Static, TSchema } from 'typebox';

/** The part of Standard Schema 1 that carries types. */
interface Typed<T> {
  readonly '~standard': { readonly types?: T };
}

/** What a handler gets: the schema's type, or what its library makes of the message. */
export type MessageOf<S> =
  S extends Typed<infer T>
    ? NonNullable<T> extends { readonly output: infer Output }
      ? Output
      : unknown
    : S extends TSchema
      ? Static<S>
      : unknown;

/** The type of what may be sent under a schema. */
export type ReplyOf<S> =
  S extends Typed<infer T>
    ? NonNullable<T> extends { readonly input: infer Input }
      ? Input
      : unknown
    : S extends TSchema
      ? Static<S>
      : unknown;
