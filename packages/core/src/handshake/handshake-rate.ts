import type { Attempts } from '../auth/attempts.ts';
import { type HandshakePrecheckAnswer, UNAVAILABLE } from '../limits/precheck.ts';
import type { StoreAccess } from '../limits/store-access.ts';
import { type Denial, deny, isPromise, type MaybePromise, settled } from '../vocabulary/decision.ts';
import type { HitRequest, RateLimit } from '../vocabulary/store-contract.ts';
import type { HandshakeContext } from './handshake-context.ts';
import { bucketOf, slotSourceOf, sourceOf } from './handshake-source.ts';
import type { Site } from './origin.ts';
import type { Slots } from './slot-reservation.ts';
import type { Stage } from './stage.ts';

export interface RateSettings {
  readonly store: StoreAccess;
  readonly handshakes: RateLimit;
  readonly attempts: Attempts;
  readonly slots: Slots;
  /** Whether the policy lists the origin of a page, as far as that can be told without asking the application. */
  readonly lists: (origin: string, site: Site) => boolean;
}

/**
 * Bans and handshakes per address, before anything that costs more. It makes the only round trip to the store before
 * authentication, so it also asks what later stages need.
 */
export function rateStage(settings: RateSettings): Stage {
  return {
    name: 'rate',
    check: (context) => ask(context, settings, 1),
    preview: (context) => ask(context, settings, 0),
  };
}

function ask(
  context: HandshakeContext,
  settings: RateSettings,
  cost: number,
): MaybePromise<Denial | undefined> {
  const { store, attempts, slots } = settings;
  const { origin, host = '' } = context.headers;
  const site = { secure: context.client?.secure ?? false, host };
  context.unvouched = origin !== undefined && !settings.lists(origin, site);
  const bucket = bucketOf(context);
  const answer = store.precheck({
    bans: context.client?.bannable === true ? [addressKey(bucket)] : [],
    handshake: handshakeRequest(context, settings.handshakes, cost),
    failures: attempts.request(sourceOf(context), 0),
    slots: slots.ofAddress(slotSourceOf(context)),
  });
  return isPromise(answer)
    ? settled(answer).then((late) => verdict(late, context, slots))
    : verdict(answer, context, slots);
}

export function addressKey(bucket: string): string {
  return `address ${bucket}`;
}

function handshakeRequest(context: HandshakeContext, limit: RateLimit, cost: number): HitRequest {
  const { bucket, coarser } = sourceOf(context);
  return { keys: [`handshake ${bucket}`, ...coarser.map((wider) => `handshake ${wider}`)], limit, cost };
}

function verdict(
  answer: HandshakePrecheckAnswer | typeof UNAVAILABLE,
  context: HandshakeContext,
  slots: Slots,
): Denial | undefined {
  if (answer === UNAVAILABLE) return deny('store_unavailable', 'the store does not answer');
  const { bannedFor, handshake, failures, full } = answer;
  if (bannedFor > 0) return deny('banned', 'this address is banned', bannedFor).at('address');
  // Set even for a denial: in report-only mode the handshake goes on.
  context.failures = failures;
  context.full = slots.denialOfAddress(full);
  if (handshake.allowed) return undefined;
  return deny('handshake_rate', 'too many handshakes from this address', handshake.retryAfter);
}
