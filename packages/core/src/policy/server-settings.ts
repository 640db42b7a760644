import { compileTrustedProxies, type TrustedProxies } from '../handshake/address.ts';
import { compileHosts, type HostPolicy } from '../handshake/host.ts';
import { unsafeAllowPlaintext } from '../handshake/transport.ts';
import { systemClock } from '../vocabulary/clock.ts';
import { readOptions, type Settings } from '../vocabulary/option-table.ts';
import { PolicyError } from '../vocabulary/policy-error.ts';
import type { Clock } from '../vocabulary/ports.ts';
import type { BanTerms, RateLimit } from '../vocabulary/store-contract.ts';
import { BANS, SERVER_LIMITS, SERVER_OPTIONS } from './options-table.ts';
import type { AnyPolicy } from './policy.ts';
import type { RouteSettings } from './route-settings.ts';

type Options = Settings<typeof SERVER_OPTIONS>;

/** When and how long the guard bans. */
export interface BanSettings {
  /** How many offences are forgiven; `undefined` if only `guard.bans.add` bans. */
  readonly after: RateLimit | undefined;
  readonly terms: BanTerms;
  /** Which open connections a ban closes. */
  readonly closes: 'identity' | 'all' | 'none';
}

/** The options of the whole server, checked and with all defaults: times in milliseconds, sizes in bytes. */
export interface ServerSettings
  extends Omit<Options, 'hosts' | 'trustedProxies' | 'forwardedHeader' | 'transport' | 'bans' | 'clock'>,
    Pick<RouteSettings, 'name' | 'report'> {
  readonly hosts: HostPolicy;
  readonly proxies: TrustedProxies;
  readonly plaintextAllowed: boolean;
  readonly bans: BanSettings;
  readonly clock: Clock;
  readonly limits: Settings<typeof SERVER_LIMITS>;
}

export function serverSettings(policy: AnyPolicy, { name, report }: RouteSettings): ServerSettings {
  const { hosts, trustedProxies, forwardedHeader, transport, bans, clock, ...options } = readOptions(
    SERVER_OPTIONS,
    policy,
    'policy',
  );
  return {
    ...options,
    name,
    report,
    hosts: compileHosts(hosts, policy.origins !== undefined),
    proxies: compileTrustedProxies(trustedProxies ?? [], forwardedHeader),
    plaintextAllowed: transport === unsafeAllowPlaintext,
    bans: banSettings(bans),
    clock: clock ?? systemClock,
    limits: readOptions(SERVER_LIMITS, policy.limits, 'policy.limits'),
  };
}

/** Terms exist even with `bans: false`, for `guard.bans.add`. */
function banSettings(bans: Options['bans']): BanSettings {
  const {
    after,
    for: duration,
    growth,
    longest,
    memory,
    closes,
  } = bans || readOptions(BANS, {}, 'policy.bans');
  if (longest < duration) {
    throw new PolicyError(
      'policy.bans.longest',
      'it is shorter than the first ban',
      'Raise it, or lower bans.for.',
    );
  }
  return {
    after: bans === false ? undefined : after,
    terms: { duration, growth, longest, memory },
    closes,
  };
}
