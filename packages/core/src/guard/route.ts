import type { Authenticator } from '../auth/authenticator.ts';
import type { CredentialVerifier } from '../auth/credential-verifier.ts';
import { type LivenessLimits, TICK } from '../connection/liveness.ts';
import type { PendingServices } from '../connection/pending.ts';
import type { ThrottleLimits } from '../connection/throttle.ts';
import type { AuthorizeHandshake } from '../handshake/inner-door.ts';
import { innerDoor } from '../handshake/inner-door.ts';
import { compileOrigins } from '../handshake/origin.ts';
import type { Slots } from '../handshake/slot-reservation.ts';
import type { Reporting, Stage } from '../handshake/stage.ts';
import { checkSubprotocols } from '../handshake/subprotocol.ts';
import { compileBodyCheck } from '../message/compile.ts';
import { isPassthrough } from '../message/passthrough.ts';
import { compileTypes, type MessageRules } from '../message/rules.ts';
import type { BodyCheck } from '../message/schema.ts';
import { Writer } from '../outbound/writer.ts';
import { REPORTABLE } from '../policy/credential-check.ts';
import type { PolicyOptions, RouteLimits } from '../policy/policy.ts';
import type { EventHub } from '../vocabulary/events.ts';
import { PolicyError } from '../vocabulary/policy-error.ts';
import type { Clock, Identity } from '../vocabulary/ports.ts';
import type { RateLimit } from '../vocabulary/store.ts';
import {
  parseBudget,
  parseByteRate,
  parseCount,
  parseDuration,
  parseRate,
  parseSize,
} from '../vocabulary/units.ts';
import type { Envelope } from '../wire/envelope.ts';
import { envelopes } from '../wire/envelopes.ts';

/** Any policy, for code that does not care what its types infer. */
export type AnyPolicy = PolicyOptions<readonly Identity[], unknown, unknown>;

/** A route's side of a policy, compiled once: its inner door and its message room. */
export interface Route {
  readonly name: string;
  readonly policy: AnyPolicy;
  readonly authenticators: readonly Authenticator[];
  readonly innerDoor: readonly Stage[];
  readonly reporting: Reporting;
  readonly rules: MessageRules;
  readonly replies: ReadonlyMap<string, BodyCheck> | undefined;
  readonly writer: Writer;
  readonly onFault: 'reply' | 'close';
  /** Bytes. */
  readonly buffered: number;
  readonly onSlowConsumer: 'close' | 'drop';
  readonly onDenied: 'reply' | 'close';
  readonly rejectAs: 'http' | 'close';
  readonly violations: RateLimit;
  readonly onRate: 'close' | 'drop' | 'throttle';
  readonly throttle: ThrottleLimits;
  readonly controls: RateLimit;
  readonly liveness: LivenessLimits;
  /** How many frames one message may come in. */
  readonly fragments: number;
  /** In how many pieces the network may deliver one frame. */
  readonly chunks: number;
  readonly queuedMessages: number;
  readonly authorize: AuthorizeHandshake | undefined;
  readonly renews: boolean;
  readonly expiryNotice: number;
  readonly lifetime: number;
  readonly pending: Pick<
    PendingServices,
    'timeout' | 'attempts' | 'authMessageBytes' | 'queuedBytes' | 'early'
  >;
}

/** Bytes of the smallest fragments into which libraries cut a large message: some write buffers of 4 KiB, and less. */
const SMALL_FRAGMENT = 1_024;
/** Bytes of the smallest pieces in which a network delivers a large frame: half of what every path takes (RFC 791). */
const SMALL_CHUNK = 256;
/** Bytes that may have been read from the network, and not been looked at: two of the chunks in which Node reads. */
const UNDER_WAY = 131_072;

/** What the routes of a family share. */
export interface RouteServices {
  readonly clock: Clock;
  readonly events: EventHub;
  readonly verifier: CredentialVerifier;
  readonly slots: Slots;
}

function noticeOf(renewal: NonNullable<AnyPolicy['renewal']>): number {
  if (typeof renewal !== 'object' || renewal.notice === undefined) return 0;
  return parseDuration(renewal.notice, 'policy.renewal.notice');
}

export function compileRoute(policy: AnyPolicy, { events, verifier, slots, clock }: RouteServices): Route {
  const authenticators = policy.auth as readonly Authenticator[];
  const reported = new Set((policy.report ?? []).map((stage) => REPORTABLE.get(stage) as string));
  const { limits = {}, firstMessage = false, renewal = false } = policy;
  const authorize = policy.authorize as AuthorizeHandshake | undefined;
  const envelope = envelopes[policy.envelope ?? 'flat'];
  const replies = compileReplies(policy.replies as Readonly<Record<string, unknown>> | undefined, envelope);
  const rules = compileRules(policy, reported, clock, envelope);
  const fragments = parseCount(limits.fragments ?? 1_000, 'policy.limits.fragments');
  return {
    name: policy.name ?? 'default',
    policy,
    authenticators,
    innerDoor: innerDoor({
      authenticators,
      origins: compileOrigins(policy.origins),
      subprotocols: checkSubprotocols(policy.subprotocols ?? []),
      authorize,
      csrf: policy.csrf,
      verifier,
      slots,
      firstMessage: Boolean(firstMessage),
    }),
    reporting: reportingTo(events, reported),
    rules,
    replies,
    writer: new Writer({
      envelope,
      codec: policy.codec,
      replies,
      source: policy.replies,
      check: policy.checkReplies ?? true,
    }),
    onFault: policy.onFault ?? 'close',
    buffered: parseSize(limits.buffered ?? '1MiB', 'policy.limits.buffered'),
    onSlowConsumer: policy.onSlowConsumer ?? 'close',
    onDenied: policy.onDenied ?? 'reply',
    rejectAs: policy.rejectAs ?? 'http',
    violations: parseBudget(limits.violations ?? 10, 'policy.limits.violations'),
    onRate: policy.onRate ?? 'close',
    throttle: compileThrottle(limits, rules),
    controls: parseRate(limits.controls ?? { rate: '20/s', burst: 50 }, 'policy.limits.controls'),
    liveness: compileLiveness(limits, rules),
    fragments: fragments + Math.ceil(rules.maxBytes / SMALL_FRAGMENT),
    chunks: fragments + Math.ceil(rules.maxBytes / SMALL_CHUNK),
    authorize,
    renews: Boolean(renewal),
    expiryNotice: noticeOf(renewal),
    lifetime: parseDuration(limits.lifetime ?? '24h', 'policy.limits.lifetime'),
    pending: {
      timeout: parseDuration(limits.pendingTimeout ?? '5s', 'policy.limits.pendingTimeout'),
      attempts: parseCount(limits.authAttempts ?? 3, 'policy.limits.authAttempts'),
      authMessageBytes: parseSize(limits.authMessage ?? '8KiB', 'policy.limits.authMessage'),
      queuedBytes: parseSize(limits.pendingBytes ?? '16KiB', 'policy.limits.pendingBytes'),
      early: (typeof firstMessage === 'object' ? firstMessage.early : undefined) ?? 'refuse',
    },
    queuedMessages: parseCount(limits.queuedMessages ?? 64, 'policy.limits.queuedMessages'),
  };
}

/** Stages that only report tell the events; the decision goes on without them. */
export function reportingTo(events: EventHub, stages: ReadonlySet<string>): Reporting {
  return {
    stages,
    reported(context, { reason, stage = 'route', detail }) {
      const { address, headers, target, identity } = context;
      events.emit('handshake.reported', () => ({
        address,
        host: headers.host ?? '',
        origin: headers.origin,
        path: target.path,
        subject: identity?.subject,
        reason,
        stage,
        detail,
      }));
    },
    fault: (stage, error) => events.fault(stage, error),
  };
}

function compileRules(
  policy: AnyPolicy,
  reported: ReadonlySet<string>,
  clock: Clock,
  envelope: Envelope,
): MessageRules {
  const { messages, limits = {}, unknownProperties = 'refuse' } = policy;
  const opaque = isPassthrough(messages) ? messages : undefined;
  const json = limits.json ?? {};
  const maxBytes = parseSize(limits.message ?? '64KiB', 'policy.limits.message');
  const rate = parseRate(limits.messages ?? { rate: '50/s', burst: 100 }, 'policy.limits.messages');
  const bounds = {
    depth: parseCount(json.depth ?? 32, 'policy.limits.json.depth'),
    keys: parseCount(json.keys ?? 1_000, 'policy.limits.json.keys'),
    items: parseCount(json.items ?? 1_000, 'policy.limits.json.items'),
    text: parseCount(json.text ?? maxBytes, 'policy.limits.json.text'),
    number: parseMagnitude(json.number ?? 9_007_199_254_740_991, 'policy.limits.json.number'),
  };
  const types = compileTypes(opaque === undefined ? (messages as Readonly<Record<string, unknown>>) : {}, {
    mergesType: envelope.mergesType,
    unknownProperties,
    maxBytes,
    bounds,
    bytes: policy.codec !== undefined,
    burst: rate.burst,
  });
  return {
    types,
    passthrough: opaque,
    envelope,
    codec: policy.codec,
    anyRule: [...types.values()].some(({ authorize }) => authorize !== undefined),
    maxBytes,
    rate,
    byteRate: parseByteRate(limits.bytes ?? { rate: '256KiB/s', burst: '1MiB' }, 'policy.limits.bytes'),
    bounds,
    reportSchema: reported.has('schema'),
    reportSanitize: reported.has('sanitize'),
    reportRate: reported.has('message-rate'),
    renewal: Boolean(policy.renewal),
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
  };
}

/** As many messages as could come within the pause: more could not be handled before it is over. */
function compileThrottle(limits: RouteLimits, { rate }: MessageRules): ThrottleLimits {
  const pause = parseDuration(limits.throttle ?? '10s', 'policy.limits.throttle');
  return { pause, messages: rate.burst + Math.ceil(pause / rate.interval) };
}

function compileLiveness(limits: RouteLimits, { byteRate, maxBytes }: MessageRules): LivenessLimits {
  const { idle } = limits;
  return {
    heartbeat:
      limits.heartbeat === false
        ? Number.POSITIVE_INFINITY
        : parsePause(limits.heartbeat ?? '25s', 'policy.limits.heartbeat'),
    idle: idle === undefined ? Number.POSITIVE_INFINITY : parsePause(idle, 'policy.limits.idle'),
    unaccounted: byteRate.burst + maxBytes + UNDER_WAY,
    forgotten: 1 / byteRate.interval,
  };
}

/** Connections are looked at once a second. */
function parsePause(value: unknown, option: string): number {
  const milliseconds = parseDuration(value, option);
  if (milliseconds >= TICK) return milliseconds;
  throw new PolicyError(option, 'connections are looked at once a second', "Give at least '1s'.");
}

function parseMagnitude(value: unknown, option: string): number {
  if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value;
  throw new PolicyError(
    option,
    `${String(value)} is no finite number above zero`,
    'Give the largest magnitude.',
  );
}

const RESERVED_REPLIES: readonly string[] = ['error', 'auth_ok', 'auth_expiring'];

function compileReplies(
  replies: Readonly<Record<string, unknown>> | undefined,
  { mergesType }: Envelope,
): ReadonlyMap<string, BodyCheck> | undefined {
  if (replies === undefined) return undefined;
  return new Map(
    Object.entries(replies).map(([type, schema]) => {
      const option = `policy.replies.${type}`;
      if (RESERVED_REPLIES.includes(type)) {
        throw new PolicyError(option, "the guard's own messages use this type", 'Choose another name.');
      }
      return [type, compileBodyCheck(schema, mergesType ? type : undefined, option)];
    }),
  );
}
