import { isPassthrough } from '../message/passthrough.ts';
import { asObject, refuseUnknown, requireObject } from '../vocabulary/option-checks.ts';
import { PolicyError } from '../vocabulary/policy-error.ts';
import {
  checkAnyOrigin,
  checkAuthMessages,
  checkCsrfPlace,
  checkPlaces,
  checkReport,
  checkTolerances,
} from './credential-check.ts';
import { ROUTE_LIMITS, ROUTE_OPTIONS, SERVER_LIMITS, SERVER_OPTIONS } from './options-table.ts';
import { type AnyPolicy, unsafeReportHost, unsafeReportTransport } from './policy.ts';
import type { RouteSettings } from './route-settings.ts';

const ROUTE_NAMES = [...Object.keys(ROUTE_OPTIONS), 'limits'];
const SERVER_NAMES = Object.keys(SERVER_OPTIONS);
const ROUTE_LIMIT_NAMES = Object.keys(ROUTE_LIMITS);
const SERVER_LIMIT_NAMES = Object.keys(SERVER_LIMITS);

/** Refuses unknown options, and names the one that was probably meant. */
export function checkNames(policy: AnyPolicy): void {
  refuseMisspelt(policy, [...ROUTE_NAMES, ...SERVER_NAMES], [...ROUTE_LIMIT_NAMES, ...SERVER_LIMIT_NAMES], {
    options: 'policy',
    limits: 'policy.limits',
  });
}

/** Refuses options of the whole server in `guard.extend`, because they are needed before the route is known. */
export function checkExtensionNames(extension: object): void {
  requireObject(extension, 'extend()');
  const limits = asObject((extension as AnyPolicy).limits, 'extend({ limits })');
  const ofServer = SERVER_NAMES.find((name) => name in extension);
  if (ofServer !== undefined) throw belongsToServer(`extend({ ${ofServer} })`);
  const limitOfServer = SERVER_LIMIT_NAMES.find((name) => name in limits);
  if (limitOfServer !== undefined) throw belongsToServer(`extend({ limits: { ${limitOfServer} } })`);
  refuseMisspelt(extension, ROUTE_NAMES, ROUTE_LIMIT_NAMES, {
    options: 'extend()',
    limits: 'extend({ limits })',
  });
  const { report } = extension as AnyPolicy;
  for (const stage of Array.isArray(report) ? report : []) {
    if (stage === 'rate' || stage === unsafeReportTransport || stage === unsafeReportHost) {
      throw belongsToServer(`extend({ report: [${String(stage)}] })`);
    }
  }
}

/** Names the path of an option that was written on the wrong level (`policy` or `policy.limits`). */
function refuseMisspelt(
  given: object,
  options: readonly string[],
  limits: readonly string[],
  where: { readonly options: string; readonly limits: string },
): void {
  refuseUnknown(
    given,
    options,
    where.options,
    limits.map((name) => `limits.${name}`),
  );
  refuseUnknown(
    asObject((given as AnyPolicy).limits, where.limits),
    limits,
    where.limits,
    options.map((name) => `policy.${name}`),
  );
}

/** Without `trustedProxies`, `forwardedHeader` would have no effect. */
export function checkProxies({ forwardedHeader, trustedProxies }: AnyPolicy): void {
  if (forwardedHeader === undefined || trustedProxies !== undefined) return;
  throw new PolicyError(
    'policy.forwardedHeader',
    'no proxy is trusted, so it has no effect',
    'List policy.trustedProxies.',
  );
}

/** Refuses options of a route that contradict each other; each error names the option and the fix. */
export function checkContradictions(settings: RouteSettings): void {
  checkWriting(settings);
  checkReplies(settings);
  checkPlaces(settings.auth);
  checkReport(settings);
  checkAuthMessages(settings);
  checkCsrfPlace(settings);
  checkTolerances(settings.auth);
  checkAnyOrigin(settings);
}

/** With `passthrough()` the guard neither reads nor writes messages, so `envelope` and `codec` would have no effect. */
function checkWriting({ messages, policy: { envelope, codec } }: RouteSettings): void {
  if (!isPassthrough(messages) || (envelope === undefined && codec === undefined)) return;
  throw new PolicyError(
    codec === undefined ? 'policy.envelope' : 'policy.codec',
    'the messages are not read',
    'Leave it out with passthrough().',
  );
}

const RESERVED_REPLIES: readonly string[] = ['error', 'auth_ok', 'auth_expiring'];

function checkReplies({ replies = {} }: RouteSettings): void {
  const reserved = RESERVED_REPLIES.find((type) => type in replies);
  if (reserved === undefined) return;
  throw new PolicyError(
    `policy.replies.${reserved}`,
    "the guard's own messages use this type",
    'Choose another name.',
  );
}

function belongsToServer(option: string): PolicyError {
  return new PolicyError(
    option,
    'it is decided once for the server, before the route is known',
    'Set it in the policy given to createGuard.',
  );
}
