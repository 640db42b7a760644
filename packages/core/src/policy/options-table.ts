import type { CsrfOption } from '../auth/csrf.ts';
import type { AuthorizeHandshake } from '../handshake/inner-door.ts';
import { unsafeAllowPlaintext } from '../handshake/transport.ts';
import {
  budget,
  byteRate,
  callback,
  choice,
  count,
  duration,
  flag,
  names,
  orFalse,
  rate,
  size,
  text,
} from '../vocabulary/option-kinds.ts';
import { object, option, optional, required, switchable } from '../vocabulary/option-table.ts';
import {
  authenticators,
  clock,
  codec,
  factor,
  logger,
  magnitude,
  messageRule,
  messages,
  origins,
  pause,
  schema,
  schemas,
  stages,
  store,
} from './policy-kinds.ts';

// One row for every option of a policy: its kind, its default, and the reason that follows when it is exceeded. What an option
// does is described in the comments of policy.ts, limits.ts and rules.ts, which users see.

export const CSRF = {
  query: required(text("Name a query parameter, such as 'csrf'.")),
  verify: required(callback<CsrfOption['verify']>('Give ({ token, identity }) => boolean.')),
};

/** Options that a route may set, without its limits. */
export const ROUTE_OPTIONS = {
  name: option(text("Name the guard, such as 'chat', or leave it out."), 'default'),
  auth: required(authenticators),
  authorize: optional(
    callback<AuthorizeHandshake>('Give ({ identity, request }) => boolean.'),
    'everybody who is authenticated',
    'not_authorized',
  ),
  origins: optional(origins, 'the same origin only', 'origin_denied'),
  messages: required(messages, 'message_type_unknown'),
  replies: optional(schemas, 'anything'),
  checkReplies: option(flag, true),
  envelope: option(choice('flat', 'nested', 'json-rpc'), 'flat'),
  codec: optional(codec, 'none'),
  unknownProperties: option(choice('refuse', 'strip'), 'refuse', 'message_invalid'),
  subprotocols: optional(names, 'none', 'subprotocol_denied'),
  firstMessage: option(
    switchable({ early: option(choice('refuse', 'queue'), 'refuse', 'credential_missing') }),
    false,
  ),
  renewal: option(switchable({ notice: optional(duration, 'none') }), false),
  csrf: optional(object(CSRF), 'none', 'csrf_denied'),
  onDenied: option(choice('reply', 'close'), 'reply'),
  onFault: option(choice('reply', 'close'), 'close', 'internal'),
  onSlowConsumer: option(choice('close', 'drop'), 'close', 'slow_consumer'),
  onRate: option(choice('close', 'drop', 'throttle'), 'close', 'message_rate'),
  rejectAs: option(choice('http', 'close'), 'http'),
  report: option(stages, []),
};

export const JSON_BOUNDS = {
  depth: option(count, 32),
  keys: option(count, 1_000),
  items: option(count, 1_000),
  text: optional(count, 'as many as `limits.message` has bytes'),
  number: option(magnitude, 9_007_199_254_740_991),
};

/** Options in `limits` that a route may set. */
export const ROUTE_LIMITS = {
  message: option(size, '64KiB', 'message_too_big'),
  messages: option(rate, { rate: '50/s', burst: 100 }, 'message_rate'),
  bytes: option(byteRate, { rate: '256KiB/s', burst: '1MiB' }, 'message_rate'),
  throttle: option(duration, '10s', 'message_rate'),
  controls: option(rate, { rate: '20/s', burst: 50 }, 'message_rate'),
  fragments: option(count, 1_000, 'message_too_big'),
  heartbeat: option(orFalse(pause), '25s', 'unresponsive'),
  idle: optional(pause, 'none', 'idle'),
  violations: option(budget, 10, 'too_many_violations'),
  lifetime: option(duration, '24h', 'lifetime'),
  pendingTimeout: option(duration, '5s', 'auth_timeout'),
  authAttempts: option(count, 3),
  authMessage: option(size, '8KiB', 'message_too_big'),
  pendingBytes: option(size, '16KiB', 'message_too_big'),
  queuedMessages: option(count, 64),
  buffered: option(size, '1MiB', 'slow_consumer'),
  json: option(object(JSON_BOUNDS), {}, 'message_malformed'),
};

const FAILURE_MODE = choice('closed', 'open', 'local');

export const STORE_FAILURE = {
  handshakes: option(FAILURE_MODE, 'local'),
  authFailures: option(FAILURE_MODE, 'local'),
  bans: option(FAILURE_MODE, 'local'),
  connections: option(FAILURE_MODE, 'local'),
};

export const BANS = {
  after: option(rate, { rate: '100/m', burst: 100 }, 'banned'),
  for: option(duration, '10m'),
  growth: option(factor, 2),
  longest: option(duration, '1d'),
  memory: option(duration, '1d'),
  closes: option(choice('identity', 'all', 'none'), 'identity', 'banned'),
};

/** Options of the whole server, without its limits. They are needed before the route is known. */
export const SERVER_OPTIONS = {
  hosts: optional(names, 'loopback names only, or any once `origins` is stated', 'host_denied'),
  trustedProxies: optional(names, 'none'),
  forwardedHeader: option(choice('x-forwarded-for', 'forwarded'), 'x-forwarded-for'),
  transport: option(choice('tls', unsafeAllowPlaintext), 'tls', 'tls_required'),
  compression: option(flag, false),
  onIdentityLimit: option(choice('reject', 'replace-oldest'), 'reject', 'connection_limit'),
  store: optional(store, 'the memory of this process'),
  onStoreFailure: option(object(STORE_FAILURE), {}, 'store_unavailable'),
  bans: option(orFalse(object(BANS)), {}, 'banned'),
  logger: optional(orFalse(logger), "the host's own logger, else the console"),
  clock: optional(clock, "the machine's time"),
};

/** Options in `limits` of the whole server: needed before the route is known, or shared by all routes. */
export const SERVER_LIMITS = {
  handshakeTimeout: option(duration, '10s', 'auth_timeout'),
  handshakesUnderWay: option(count, 1_000, 'capacity'),
  handshakes: option(rate, { rate: '120/m', burst: 60 }, 'handshake_rate'),
  connections: option(count, 10_000, 'capacity'),
  connectionsPerAddress: option(count, 100, 'connection_limit'),
  connectionsPerIdentity: option(count, 20, 'connection_limit'),
  identityMessages: optional(rate, 'none', 'message_rate'),
  authFailures: option(rate, { rate: '20/m', burst: 20 }, 'auth_attempts'),
  pending: option(count, 1_000, 'pending_limit'),
  pendingPerAddress: option(count, 20, 'pending_limit'),
  storeTimeout: option(duration, '500ms', 'store_unavailable'),
  revocationStaleness: option(duration, '30s', 'store_unavailable'),
  revocations: option(count, 100_000),
  revocationRetention: option(duration, '30d', 'credential_invalid'),
  headerCount: option(count, 100, 'request_malformed'),
  headerBytes: option(size, '16KiB', 'request_malformed'),
  offeredSubprotocols: option(count, 16, 'request_malformed'),
  earlyBytes: option(size, '128KiB', 'request_malformed'),
  rejectedSockets: option(count, 100),
  closeTimeout: option(duration, '5s'),
};

/** Options of a message type, without its schema. */
export const MESSAGE_OPTIONS = {
  schema: required(schema, 'message_invalid'),
  authorize: optional(messageRule, 'everybody, unless another type has one', 'message_forbidden'),
  freshness: optional(duration, 'as old as it is good', 'step_up_required'),
  recheck: option(flag, false, 'revoked'),
  rate: optional(rate, 'as often as `limits.messages` allows', 'message_rate'),
  cost: optional(
    count,
    '1; 10 if the schema has a `safeHtml()`, but at most the burst of `limits.messages`',
    'message_rate',
  ),
  size: optional(size, '`limits.message`', 'message_too_big'),
  after: optional(names, 'none', 'message_out_of_order'),
  once: option(flag, false, 'message_out_of_order'),
  unknownProperties: optional(
    choice('refuse', 'strip'),
    'as `unknownProperties` of the policy',
    'message_invalid',
  ),
};
