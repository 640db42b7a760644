import type { Reason } from './reasons.ts';

/** How an option is written, and what it is read to. */
export interface Kind<Written, Setting = Written> {
  /** Its type as users write it, for the reference. */
  readonly type: string;
  /** The options inside it, where it is an object of some. */
  readonly options?: OptionTable;
  /** @throws PolicyError for every value that is not of this kind, naming the option and the fix. */
  read(value: unknown, option: string): Setting;
  /** Never there: the type that users write. */
  readonly written?: Written;
}

/** One row of a table of options. */
export interface Option<Written = unknown, Setting = unknown> {
  readonly kind: Kind<Written, unknown>;
  /** What is taken where it is left out, as a user would write it. */
  readonly fallback?: Written;
  /** What happens where it is left out, in words: for options without a value that says it. */
  readonly otherwise?: string;
  /** Nobody else can know it. */
  readonly required?: boolean;
  /** Why something is denied or closed that goes beyond it. */
  readonly exceeded?: Reason | undefined;
  /** Never there: the type of what it is read to. */
  readonly setting?: Setting;
}

/** Options by name. The refusal of unknown ones, their reading, their defaults and their reference come from it. */
export type OptionTable = Readonly<Record<string, Option>>;
