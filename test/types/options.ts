// The tables of options against the interfaces that users see: the same names, and each option written alike.
import type { Limits, PolicyOptions, RouteLimits } from '@sallyport/core';
import type { ANONYMOUS_OPTIONS, AnonymousOptions } from '../../packages/core/src/auth/anonymous.ts';
import type { CsrfOption } from '../../packages/core/src/auth/csrf.ts';
import type { CUSTOM_OPTIONS, CustomOptions } from '../../packages/core/src/auth/custom.ts';
import type { KEY_OPTIONS, KeyOptions } from '../../packages/core/src/auth/jwt-keys.ts';
import type { JWT_OPTIONS, JwtOptions } from '../../packages/core/src/auth/jwt-options.ts';
import type { TICKET_OPTIONS, TicketOptions } from '../../packages/core/src/auth/tickets.ts';
import type { FailureModes } from '../../packages/core/src/limits/store-fallback.ts';
import type { MessageRule } from '../../packages/core/src/message/rules.ts';
import type {
  BANS,
  CSRF,
  JSON_BOUNDS,
  MESSAGE_OPTIONS,
  ROUTE_LIMITS,
  ROUTE_OPTIONS,
  SERVER_LIMITS,
  SERVER_OPTIONS,
  STORE_FAILURE,
} from '../../packages/core/src/policy/options-table.ts';
import type { BansOption, ExtendOptions } from '../../packages/core/src/policy/policy.ts';
import type { OptionTable } from '../../packages/core/src/vocabulary/option.ts';
import { count, duration } from '../../packages/core/src/vocabulary/option-kinds.ts';
import type { Written } from '../../packages/core/src/vocabulary/option-table.ts';
import { optional } from '../../packages/core/src/vocabulary/option-table.ts';
import type { Identity } from '../../packages/core/src/vocabulary/ports.ts';
import type { Duration } from '../../packages/core/src/vocabulary/units.ts';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
/** Holds where the table has exactly the options of the interface. */
type SameNames<Table extends OptionTable, Options> = Same<keyof Table, keyof Options>;
/** Holds where, beyond the names, every option is written alike. */
type SameOptions<Table extends OptionTable, Options> = Same<
  { readonly [K in keyof Table]: Exclude<Written<Table>[K], undefined> },
  { readonly [K in keyof Options]-?: Exclude<Options[K], undefined> }
>;

type Policy = PolicyOptions<readonly Identity[], unknown, unknown>;
type Extension = ExtendOptions<readonly Identity[], unknown, unknown>;
type ServerPolicy = Omit<Policy, keyof Extension>;
type ServerLimits = Omit<Limits, keyof RouteLimits>;

export const names: readonly true[] = [
  true satisfies SameNames<typeof ROUTE_OPTIONS, Omit<Extension, 'limits'>>,
  true satisfies SameNames<typeof SERVER_OPTIONS, ServerPolicy>,
  true satisfies SameNames<typeof JWT_OPTIONS, Omit<JwtOptions, keyof KeyOptions>>,
  true satisfies SameNames<typeof ANONYMOUS_OPTIONS, AnonymousOptions>,
  true satisfies SameNames<typeof CUSTOM_OPTIONS, CustomOptions<string, object>>,
  true satisfies SameNames<typeof MESSAGE_OPTIONS, MessageRule<unknown, Identity>>,
];

export const options: readonly true[] = [
  true satisfies SameOptions<Omit<typeof ROUTE_LIMITS, 'json'>, Omit<RouteLimits, 'json'>>,
  true satisfies SameNames<typeof ROUTE_LIMITS, RouteLimits>,
  true satisfies SameOptions<typeof JSON_BOUNDS, NonNullable<RouteLimits['json']>>,
  true satisfies SameOptions<typeof SERVER_LIMITS, ServerLimits>,
  true satisfies SameOptions<typeof BANS, BansOption>,
  true satisfies SameOptions<typeof STORE_FAILURE, FailureModes>,
  true satisfies SameOptions<Omit<typeof SERVER_OPTIONS, 'bans'>, Omit<ServerPolicy, 'bans'>>,
  true satisfies SameOptions<Pick<typeof ROUTE_OPTIONS, Plain>, Pick<Policy, Plain>>,
  true satisfies SameOptions<typeof CSRF, CsrfOption>,
  true satisfies SameOptions<typeof KEY_OPTIONS, KeyOptions>,
  true satisfies SameOptions<typeof TICKET_OPTIONS, TicketOptions>,
  true satisfies SameOptions<typeof JWT_OPTIONS, Omit<JwtOptions<string>, keyof KeyOptions>>,
  true satisfies SameOptions<
    Omit<typeof MESSAGE_OPTIONS, 'authorize'>,
    Omit<MessageRule<unknown, Identity>, 'authorize'>
  >,
];

/** Options of a route that the types of a policy have no say in, and whose own options need not be there. */
type Plain = Exclude<keyof typeof ROUTE_OPTIONS, 'auth' | 'authorize' | 'messages' | 'replies' | 'csrf'>;

interface Example {
  readonly idle?: Duration;
  readonly pending?: number;
}

const example = { idle: optional(duration, 'none'), pending: optional(count, 'none') };
const shorter = { idle: optional(duration, 'none') };
const longer = { ...example, more: optional(count, 'none') };
const other = { ...example, pending: optional(duration, 'none') };

export const held: readonly true[] = [
  true satisfies SameOptions<typeof example, Example>,
  // @ts-expect-error: an option of the interface is missing in the table
  true satisfies SameNames<typeof shorter, Example>,
  // @ts-expect-error: an option of the table is missing in the interface
  true satisfies SameNames<typeof longer, Example>,
  // @ts-expect-error: an option is written in two ways
  true satisfies SameOptions<typeof other, Example>,
];
