import type { Reason } from './reasons.ts';

/** How an option is written, and the setting that it becomes. */
export interface Kind<Written, Setting = Written> {
  /** The type as users write it, for the reference. */
  readonly type: string;
  /** For an object of options. */
  readonly options?: OptionTable;
  /** @throws PolicyError for any other value, naming the option and the fix. */
  read(value: unknown, option: string): Setting;
  /** Never set: it carries the type that users write. */
  readonly written?: Written;
}

/** One row of a table of options. */
export interface Option<Written = unknown, Setting = unknown> {
  readonly kind: Kind<Written, unknown>;
  /** The default, as a user would write it. */
  readonly fallback?: Written;
  /** The default in words, for an option without a default value. */
  readonly otherwise?: string;
  readonly required?: boolean;
  /** The reason of a denial or close when it is exceeded. */
  readonly exceeded?: Reason | undefined;
  /** Never set: it carries the type of the setting. */
  readonly setting?: Setting;
}

/** Options by name. Parsing, defaults, the refusal of unknown options and the reference come from it. */
export type OptionTable = Readonly<Record<string, Option>>;
