import { compileOrigins, type OriginPolicy } from '../handshake/origin.ts';
import { checkSubprotocols } from '../handshake/subprotocol.ts';
import type { ValueBounds } from '../message/parse.ts';
import { isPassthrough, type Passthrough } from '../message/passthrough.ts';
import type { TypeSettings } from '../message/rules.ts';
import { readOptions, type Settings } from '../vocabulary/option-table.ts';
import { messageSettings } from './message-settings.ts';
import { ROUTE_LIMITS, ROUTE_OPTIONS } from './options-table.ts';
import type { AnyPolicy } from './policy.ts';

type Options = Settings<typeof ROUTE_OPTIONS>;
type Limits = Settings<typeof ROUTE_LIMITS>;

/** The options of a route, checked and with all defaults: times in milliseconds, sizes in bytes. */
export interface RouteSettings extends Omit<Options, 'messages' | 'origins' | 'subprotocols'> {
  /** The policy as the application wrote it, for `guard.extend`. */
  readonly policy: AnyPolicy;
  readonly messages: Passthrough | ReadonlyMap<string, TypeSettings>;
  readonly origins: OriginPolicy;
  readonly subprotocols: readonly string[];
  readonly limits: Omit<Limits, 'json'> & { readonly json: ValueBounds };
}

export function routeSettings(policy: AnyPolicy): RouteSettings {
  const options = readOptions(ROUTE_OPTIONS, policy, 'policy');
  const limits = readOptions(ROUTE_LIMITS, policy.limits, 'policy.limits');
  const { messages } = options;
  return {
    ...options,
    policy,
    messages: isPassthrough(messages) ? messages : messageSettings(messages, limits),
    origins: compileOrigins(options.origins),
    subprotocols: checkSubprotocols(options.subprotocols ?? []),
    limits: { ...limits, json: { ...limits.json, text: limits.json.text ?? limits.message } },
  };
}
