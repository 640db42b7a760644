import { asObject } from '../vocabulary/option-checks.ts';
import type { AnyPolicy } from './policy.ts';
import { checkContradictions, checkExtensionNames, checkNames, checkProxies } from './policy-check.ts';
import { type RouteSettings, routeSettings } from './route-settings.ts';
import { type ServerSettings, serverSettings } from './server-settings.ts';

/** A policy as two plain objects: the settings of the server, and those of the policy's own route. */
export interface PolicySettings {
  readonly server: ServerSettings;
  readonly route: RouteSettings;
}

/**
 * Reads a policy.
 *
 * @throws PolicyError for options that are unknown, have an invalid value, or contradict each other.
 */
export function readPolicy(policy: object): PolicySettings {
  const stated = asObject(policy, 'policy') as unknown as AnyPolicy;
  checkNames(stated);
  const route = routeSettings(stated);
  const server = serverSettings(stated, route);
  checkProxies(stated);
  checkContradictions(route);
  return { server, route };
}

/**
 * Reads the options of `guard.extend`. Options that are left out are inherited.
 *
 * @throws PolicyError as `readPolicy`, and for an option of the whole server.
 */
export function readExtension(base: AnyPolicy, extension: object): RouteSettings {
  checkExtensionNames(extension);
  const route = routeSettings(merged(base, extension as Partial<AnyPolicy>));
  checkContradictions(route);
  return route;
}

function merged(base: AnyPolicy, extension: Partial<AnyPolicy>): AnyPolicy {
  const { limits, report } = extension;
  return {
    ...inherited(base, extension),
    limits: {
      ...inherited(base.limits, limits),
      json: inherited(base.limits?.json, limits?.json),
    },
    report: Array.isArray(report)
      ? [...(base.report ?? []), ...report]
      : report === undefined
        ? base.report
        : report,
  } as AnyPolicy;
}

/**
 * Removes options whose value is `undefined`. Spread over the base, they would switch a check off. A value that is not an
 * object is returned unchanged, and refused where it is read.
 */
function inherited<T extends object>(
  base: T | undefined,
  extension: Partial<T> | undefined,
): Partial<T> | undefined {
  if (extension === undefined) return base;
  if (typeof extension !== 'object' || extension === null || Array.isArray(extension)) return extension;
  const stated = Object.entries(extension).filter(([, value]) => value !== undefined);
  return { ...base, ...(Object.fromEntries(stated) as Partial<T>) };
}
