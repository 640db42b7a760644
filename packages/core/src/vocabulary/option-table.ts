import type { Kind, Option, OptionTable } from './option.ts';
import { asObject, optionPath, refuseUnknown } from './option-checks.ts';
import type { Reason } from './reasons.ts';

/** What the options of a table are read to. */
export type Settings<T extends OptionTable> = {
  readonly [K in keyof T]: T[K] extends Option<unknown, infer Setting> ? Setting : never;
};

/** How a user writes the options of a table. */
export type Written<T extends OptionTable> = {
  readonly [K in keyof T]?: T[K] extends Option<infer W, unknown> ? W : never;
};

/** An option with a default. */
export function option<W, S>(kind: Kind<W, S>, fallback: NoInfer<W>, exceeded?: Reason): Option<W, S> {
  return { kind, fallback, exceeded };
}

/** An option without a value for "left out"; `otherwise` says what happens then. */
export function optional<W, S>(
  kind: Kind<W, S>,
  otherwise: string,
  exceeded?: Reason,
): Option<W, S | undefined> {
  return { kind, otherwise, exceeded };
}

/** An option that has to be there. Its kind is asked to read `undefined`, and says what is missing. */
export function required<W, S>(kind: Kind<W, S>, exceeded?: Reason): Option<W, S> {
  return { kind, required: true, exceeded };
}

/**
 * Reads the options that the table names and fills in their defaults. Others are left alone: `refuseUnknown` looks for them.
 *
 * @throws PolicyError for a value that is none, naming the option and the fix.
 */
export function readOptions<T extends OptionTable>(table: T, given: unknown, where: string): Settings<T> {
  const options = asObject(given, where);
  const settings: Record<string, unknown> = {};
  for (const [name, { kind, fallback, required = false }] of Object.entries(table)) {
    const value = options[name] === undefined ? fallback : options[name];
    if (value !== undefined || required) settings[name] = kind.read(value, optionPath(where, name));
  }
  return settings as Settings<T>;
}

/** The same of an object that may hold nothing else. */
export function readOnlyOptions<T extends OptionTable>(table: T, given: unknown, where: string): Settings<T> {
  refuseUnknown(asObject(given, where), Object.keys(table), where);
  return readOptions(table, given, where);
}

/** An object with options of its own. */
export function object<T extends OptionTable>(options: T): Kind<Written<T>, Settings<T>> {
  return {
    type: '{ … }',
    options,
    read: (value, where) => readOnlyOptions(options, value, where),
  };
}

/** Something that is off, on, or on with options of its own. */
export function switchable<T extends OptionTable>(
  options: T,
): Kind<boolean | Written<T>, false | Settings<T>> {
  return {
    type: 'boolean | { … }',
    options,
    read: (value, where) =>
      value === false ? false : readOnlyOptions(options, value === true ? {} : value, where),
  };
}
