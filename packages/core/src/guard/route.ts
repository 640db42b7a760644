import type { CredentialVerifier } from '../auth/credential-verifier.ts';
import type { LivenessLimits } from '../connection/liveness.ts';
import type { ThrottleLimits } from '../connection/throttle.ts';
import { innerDoor } from '../handshake/inner-door.ts';
import type { Slots } from '../handshake/slot-reservation.ts';
import type { Reporting, Stage } from '../handshake/stage.ts';
import { compileBodyCheck } from '../message/compile.ts';
import { isPassthrough } from '../message/passthrough.ts';
import { compileTypes, type MessageRules } from '../message/rules.ts';
import type { BodyCheck } from '../message/schema.ts';
import { Writer } from '../outbound/writer.ts';
import type { RouteSettings } from '../policy/route-settings.ts';
import type { EventHub } from '../vocabulary/events.ts';
import type { Clock } from '../vocabulary/ports.ts';
import type { Envelope } from '../wire/envelope.ts';
import { envelopes } from '../wire/envelopes.ts';
import type { Branch } from './branch.ts';

/** The part of a policy that belongs to one route, compiled once: its inner door and its message rules. */
export interface Route {
  readonly settings: RouteSettings;
  readonly branch: Branch;
  readonly innerDoor: readonly Stage[];
  readonly reporting: Reporting;
  readonly rules: MessageRules;
  readonly replies: ReadonlyMap<string, BodyCheck> | undefined;
  readonly writer: Writer;
  readonly throttle: ThrottleLimits;
  readonly liveness: LivenessLimits;
  /** The most frames that one message may have. */
  readonly fragments: number;
  /** The most pieces in which the network may deliver one frame. */
  readonly chunks: number;
}

/** Bytes. Libraries cut a large message into fragments of their write buffer, which is 4 KiB or less in some of them. */
const SMALL_FRAGMENT = 1_024;
/** Bytes of the smallest pieces in which a network delivers a large frame: half the packet that every path supports (RFC 791). */
const SMALL_CHUNK = 256;
/** Bytes that Node may have read but not passed on yet: two of its chunks. */
const UNDER_WAY = 131_072;

/** What the routes of a family share. */
export interface RouteFamily {
  readonly clock: Clock;
  readonly verifier: CredentialVerifier;
  readonly slots: Slots;
}

export function compileRoute(
  settings: RouteSettings,
  { verifier, slots, clock }: RouteFamily,
  branch: Branch,
): Route {
  const { events } = branch;
  const { limits, report } = settings;
  const envelope = envelopes[settings.envelope];
  const replies = compileReplies(settings.replies, envelope);
  const rules = compileRules(settings, clock, envelope);
  return {
    settings,
    branch,
    innerDoor: innerDoor({
      authenticators: settings.auth,
      origins: settings.origins,
      subprotocols: settings.subprotocols,
      authorize: settings.authorize,
      csrf: settings.csrf,
      verifier,
      slots,
      firstMessage: settings.firstMessage !== false,
    }),
    reporting: reportingTo(events, report),
    rules,
    replies,
    writer: new Writer({
      envelope,
      codec: settings.codec,
      replies,
      source: settings.policy.replies,
      check: settings.checkReplies,
    }),
    throttle: throttleLimits(limits),
    liveness: livenessLimits(limits),
    fragments: limits.fragments + Math.ceil(limits.message / SMALL_FRAGMENT),
    chunks: limits.fragments + Math.ceil(limits.message / SMALL_CHUNK),
  };
}

/** Turns the denials of report-only stages into events. */
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

function compileRules(settings: RouteSettings, clock: Clock, envelope: Envelope): MessageRules {
  const { messages, codec, limits, report, unknownProperties } = settings;
  const passthrough = isPassthrough(messages) ? messages : undefined;
  const types = compileTypes(isPassthrough(messages) ? new Map() : messages, {
    mergesType: envelope.mergesType,
    unknownProperties,
    maxBytes: limits.message,
    bounds: limits.json,
    bytes: codec !== undefined,
  });
  return {
    types,
    passthrough,
    envelope,
    codec,
    anyRule: [...types.values()].some(({ authorize }) => authorize !== undefined),
    maxBytes: limits.message,
    rate: limits.messages,
    byteRate: limits.bytes,
    bounds: limits.json,
    reportSchema: report.has('schema'),
    reportSanitize: report.has('sanitize'),
    reportRate: report.has('message-rate'),
    renewal: settings.renewal !== false,
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
  };
}

/** Keeps at most as many messages as the rate allows within the pause. More could not be handled in time. */
function throttleLimits({ throttle, messages }: RouteSettings['limits']): ThrottleLimits {
  return { pause: throttle, messages: messages.burst + Math.ceil(throttle / messages.interval) };
}

function livenessLimits({ heartbeat, idle, bytes, message }: RouteSettings['limits']): LivenessLimits {
  return {
    heartbeat: heartbeat === false ? Number.POSITIVE_INFINITY : heartbeat,
    idle: idle ?? Number.POSITIVE_INFINITY,
    unaccounted: bytes.burst + message + UNDER_WAY,
    forgotten: 1 / bytes.interval,
  };
}

function compileReplies(
  replies: RouteSettings['replies'],
  { mergesType }: Envelope,
): ReadonlyMap<string, BodyCheck> | undefined {
  if (replies === undefined) return undefined;
  return new Map(
    Object.entries(replies).map(([type, schema]) => [
      type,
      compileBodyCheck(schema, mergesType ? type : undefined, `policy.replies.${type}`),
    ]),
  );
}
