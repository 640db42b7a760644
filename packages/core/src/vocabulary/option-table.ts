import type { Kind, Option, OptionTable } from './option.ts';
import { asObject, optionPath, refuseUnknown } from './option-checks.ts';
import type { Reason } from './reasons.ts';

/** The settings that the options of a table become. */
export type Settings<T extends OptionTable> = {
  readonly [K in keyof T]: T[K] extends Option<unknown, infer Setting> ? Setting : never;
};

export type Written<T extends OptionTable> = {
  readonly [K in keyof T]?: T[K] extends Option<infer W, unknown> ? W : never;
};

/** An option with a default. */
export function option<W, S>(kind: Kind<W, S>, fallback: NoInfer<W>, exceeded?: Reason): Option<W, S> {
  return { kind, fallback, exceeded };
}

/** An option without a default value. `otherwise` says what happens without it. */
export function optional<W, S>(
  kind: Kind<W, S>,
  otherwise: string,
  exceeded?: Reason,
): Option<W, S | undefined> {
  return { kind, otherwise, exceeded };
}

/** Its kind reads `undefined` if it is absent, and says what is missing. */
export function required<W, S>(kind: Kind<W, S>, exceeded?: Reason): Option<W, S> {
  return { kind, required: true, exceeded };
}

/**
 * Reads the options that the table names and adds defaults. Ignores others, which `refuseUnknown` refuses.
 *
 * @throws PolicyError for a wrong value, naming the option and the fix.
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

/** The same, and refuses other options. */
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

/** An option that is off, on, or on with options of its own. */
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
