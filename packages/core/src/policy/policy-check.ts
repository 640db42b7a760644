import { checkCsrf } from '../auth/csrf.ts';
import { unsafeAllowAnyOrigin } from '../handshake/origin.ts';
import { unsafeAllowPlaintext } from '../handshake/transport.ts';
import { isPassthrough } from '../message/passthrough.ts';
import { asObject, type Options, oneOf, refuseUnknown, stringList } from '../vocabulary/option-checks.ts';
import { PolicyError } from '../vocabulary/policy-error.ts';
import type { Store } from '../vocabulary/store.ts';
import { envelopes } from '../wire/envelopes.ts';
import {
  checkAnyOrigin,
  checkAuth,
  checkAuthMessages,
  checkCsrfPlace,
  checkReport,
  checkTolerances,
} from './credential-check.ts';
import { unsafeReportHost, unsafeReportTransport } from './policy.ts';

const ROUTE_OPTIONS = [
  'name',
  'auth',
  'authorize',
  'messages',
  'replies',
  'checkReplies',
  'envelope',
  'codec',
  'unknownProperties',
  'subprotocols',
  'onDenied',
  'onFault',
  'onSlowConsumer',
  'onRate',
  'rejectAs',
  'firstMessage',
  'renewal',
  'csrf',
  'origins',
  'limits',
  'report',
];
const SERVER_OPTIONS = [
  'hosts',
  'trustedProxies',
  'forwardedHeader',
  'transport',
  'compression',
  'onIdentityLimit',
  'store',
  'onStoreFailure',
  'bans',
  'logger',
  'clock',
];
const ROUTE_LIMITS = [
  'message',
  'messages',
  'bytes',
  'violations',
  'throttle',
  'controls',
  'fragments',
  'heartbeat',
  'idle',
  'lifetime',
  'pendingTimeout',
  'authAttempts',
  'authMessage',
  'pendingBytes',
  'queuedMessages',
  'buffered',
  'json',
];
const SERVER_LIMITS = [
  'handshakeTimeout', 'handshakes', 'authFailures', 'pending', 'pendingPerAddress', 'revocations', 'revocationRetention', 'revocationStaleness', 'storeTimeout', 'connections', 'connectionsPerAddress', 'connectionsPerIdentity', 'identityMessages', 'headerCount',
  'headerBytes', 'offeredSubprotocols', 'earlyBytes', 'rejectedSockets', 'closeTimeout',
]; // biome-ignore format: a list of names reads best as a block

/** Refuses a policy with unknown or contradictory options; each error names the option and the fix. */
export function checkPolicy(policy: object): void {
  const options = policy as Options;
  refuseUnknown(options, [...ROUTE_OPTIONS, ...SERVER_OPTIONS], 'policy');
  refuseUnknown(
    asObject(options.limits, 'policy.limits'),
    [...ROUTE_LIMITS, ...SERVER_LIMITS],
    'policy.limits',
  );
  oneOf(options.forwardedHeader, ['x-forwarded-for', 'forwarded'], 'policy.forwardedHeader');
  oneOf(options.onIdentityLimit, ['reject', 'replace-oldest'], 'policy.onIdentityLimit');
  oneOf(options.compression, [true, false], 'policy.compression');
  oneOf(options.transport, ['tls', unsafeAllowPlaintext], 'policy.transport');
  checkStore(options.store);
  checkStoreFailure(options.onStoreFailure);
  checkBans(options.bans);
  stringList(options.hosts, 'policy.hosts');
  stringList(options.trustedProxies, 'policy.trustedProxies');
  if (options.forwardedHeader !== undefined && options.trustedProxies === undefined) {
    throw new PolicyError(
      'policy.forwardedHeader',
      'no proxy is trusted, so it has no effect',
      'List policy.trustedProxies.',
    );
  }
  checkRoute(options);
}

const STORE_OPERATIONS = [
  'precheck', 'charge', 'acquire', 'put', 'redeem', 'ban', 'unban', 'bans', 'revoke', 'subscribe', 'staleness', 'shares', 'ping',
] as const satisfies readonly (keyof Store)[]; // biome-ignore format: a list of names reads best as a block

function checkStore(store: unknown): void {
  const given = asObject(store, 'policy.store');
  const missing = STORE_OPERATIONS.find((operation) => typeof given[operation] !== 'function');
  if (store === undefined || missing === undefined) return;
  throw new PolicyError(
    'policy.store',
    `it has no '${missing}', so it is no store`,
    'Give redisStore(client), say, or leave it out for the memory of this process.',
  );
}

function checkStoreFailure(modes: unknown): void {
  const checks = ['handshakes', 'authFailures', 'bans', 'connections'];
  const given = asObject(modes, 'policy.onStoreFailure');
  refuseUnknown(given, checks, 'policy.onStoreFailure');
  for (const check of checks)
    oneOf(given[check], ['closed', 'open', 'local'], `policy.onStoreFailure.${check}`);
}

function checkBans(bans: unknown): void {
  if (bans === false) return;
  const { growth = 1, closes, ...rest } = asObject(bans, 'policy.bans');
  refuseUnknown(rest, ['after', 'for', 'longest', 'memory'], 'policy.bans');
  oneOf(closes, ['identity', 'all', 'none'], 'policy.bans.closes');
  if (typeof growth === 'number' && growth >= 1 && Number.isFinite(growth)) return;
  throw new PolicyError('policy.bans.growth', 'it is no factor of at least 1', 'Give 2 to double each ban.');
}

/** Refuses options that a route cannot have, since they are decided before the route is known, once for a server. */
export function checkExtension(extension: object): void {
  const options = extension as Options;
  const outer = SERVER_OPTIONS.find((key) => key in options);
  if (outer !== undefined) throw belongsToServer(`extend({ ${outer} })`);
  const limits = asObject(options.limits, 'extend({ limits })');
  const outerLimit = SERVER_LIMITS.find((key) => key in limits);
  if (outerLimit !== undefined) throw belongsToServer(`extend({ limits: { ${outerLimit} } })`);
  refuseUnknown(options, ROUTE_OPTIONS, 'extend');
  refuseUnknown(limits, ROUTE_LIMITS, 'extend({ limits })');
  for (const stage of (options.report as unknown[] | undefined) ?? []) {
    if (stage === 'rate' || stage === unsafeReportTransport || stage === unsafeReportHost) {
      throw belongsToServer(`extend({ report: [${String(stage)}] })`);
    }
  }
}

/** The checks on what a route may set, made on a whole policy and on one that was merged from an extension. */
export function checkRoute(options: Options): void {
  oneOf(options.onDenied, ['reply', 'close'], 'policy.onDenied');
  oneOf(options.rejectAs, ['http', 'close'], 'policy.rejectAs');
  stringList(options.subprotocols, 'policy.subprotocols');
  const json = asObject(asObject(options.limits, 'policy.limits').json, 'policy.limits.json');
  refuseUnknown(json, ['depth', 'keys', 'items', 'text', 'number'], 'policy.limits.json');
  oneOf(options.onFault, ['reply', 'close'], 'policy.onFault');
  oneOf(options.onSlowConsumer, ['close', 'drop'], 'policy.onSlowConsumer');
  oneOf(options.onRate, ['close', 'drop', 'throttle'], 'policy.onRate');
  oneOf(options.checkReplies, [true, false], 'policy.checkReplies');
  oneOf(options.unknownProperties, ['refuse', 'strip'], 'policy.unknownProperties');
  checkWriting(options);
  if (options.authorize !== undefined && typeof options.authorize !== 'function') {
    throw new PolicyError(
      'policy.authorize',
      'it is not a function',
      'Give ({ identity, request }) => boolean.',
    );
  }
  if (typeof options.messages !== 'object' || options.messages === null) {
    throw new PolicyError(
      'policy.messages',
      'it is missing',
      'List the messages by type, or say passthrough({ text: true }).',
    );
  }
  checkOrigins(options.origins);
  const authenticators = checkAuth(options.auth);
  checkReport(options.report, authenticators);
  checkAuthMessages(options, authenticators);
  checkCsrf(options.csrf);
  checkCsrfPlace(options.csrf as { readonly query: string } | undefined, authenticators);
  checkTolerances(authenticators);
  checkAnyOrigin(options.origins, authenticators);
}

/** How messages are read and written; what is opaque is neither. */
function checkWriting({ messages, envelope, codec }: Options): void {
  oneOf(envelope, Object.keys(envelopes), 'policy.envelope');
  if (codec !== undefined) checkCodec(asObject(codec, 'policy.codec'));
  if (!isPassthrough(messages) || (envelope === undefined && codec === undefined)) return;
  throw new PolicyError(
    codec === undefined ? 'policy.envelope' : 'policy.codec',
    'the messages are not read',
    'Leave it out with passthrough().',
  );
}

function checkCodec({ contentType, frames, decode, encode }: Options): void {
  const complete =
    typeof contentType === 'string' && typeof decode === 'function' && typeof encode === 'function';
  if (!complete) {
    throw new PolicyError(
      'policy.codec',
      'it is no codec',
      "Give { contentType, frames: 'binary', decode, encode }.",
    );
  }
  oneOf(frames ?? null, ['text', 'binary'], 'policy.codec.frames');
}

function checkOrigins(origins: unknown): void {
  if (origins === undefined || typeof origins === 'function' || origins === unsafeAllowAnyOrigin) return;
  if (origins === '*')
    throw new PolicyError(
      'policy.origins',
      "'*' would let in every page",
      'List the origins, or use unsafeAllowAnyOrigin.',
    );
  stringList(origins, 'policy.origins');
}

function belongsToServer(option: string): PolicyError {
  return new PolicyError(
    option,
    'it is decided once for the server, before the route is known',
    'Set it in the policy given to createGuard.',
  );
}
