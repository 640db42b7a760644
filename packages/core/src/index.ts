export { type Static, type TSchema, Type } from 'typebox';
export { asyncApi } from './asyncapi/async-api.ts';
export type { AsyncApiChannel, AsyncApiOptions } from './asyncapi/asyncapi-options.ts';
export type { AsyncApiDocument, AsyncApiServer } from './asyncapi/document.ts';
export { type AnonymousIdentity, type AnonymousOptions, anonymous } from './auth/anonymous.ts';
export type { Authenticator, Presented } from './auth/authenticator.ts';
export { bearer, type CredentialSource, cookie, query, subprotocol } from './auth/credential-source.ts';
export type { CsrfOption } from './auth/csrf.ts';
export { type CustomIdentity, type CustomOptions, custom } from './auth/custom.ts';
export { type JwtClaims, type JwtIdentity, jwt } from './auth/jwt.ts';
export type { KeyOptions } from './auth/jwt-keys.ts';
export { type JwtOptions, unsafeAnyAudience, unsafeAnyIssuer } from './auth/jwt-options.ts';
export {
  type TicketIdentity,
  type TicketOffice,
  type TicketOptions,
  type TicketRequest,
  tickets,
} from './auth/tickets.ts';
export type { Connection } from './connection/connection.ts';
export type { BanOptions, Bans, BanTarget } from './guard/bans.ts';
export type { Explanation, StageExplanation } from './guard/explain.ts';
export { type AnyGuard, createGuard, definePolicy, type Guard } from './guard/guard.ts';
export type { RevokeOptions } from './guard/revoke-options.ts';
export type { GuardStats } from './guard/stats.ts';
export { consoleLogger } from './guard/warnings.ts';
export { type OriginPredicate, type OriginsOption, unsafeAllowAnyOrigin } from './handshake/origin.ts';
export { unsafeAllowPlaintext } from './handshake/transport.ts';
export { type MemoryStoreOptions, memoryStore } from './limits/memory-store.ts';
export type { FailureMode, FailureModes } from './limits/store-fallback.ts';
export { type Passthrough, passthrough } from './message/passthrough.ts';
export type { MessageContext, MessageRule } from './message/rules.ts';
export type { UnknownProperties } from './message/schema.ts';
export type { StandardSchema } from './message/standard-schema.ts';
export type { Limits, RouteLimits } from './policy/limits.ts';
export {
  type AuthorizeContext,
  type BansOption,
  type ExtendOptions,
  type FirstMessageOption,
  type PolicyOptions,
  type RenewalOption,
  type ReportOption,
  type RoutePolicy,
  unsafeReportAuthorization,
  unsafeReportHost,
  unsafeReportOrigin,
  unsafeReportTransport,
} from './policy/policy.ts';
export { type EscapedTextOptions, escapedText } from './sanitize/escaped-text.ts';
export { type IdentifierOptions, identifier } from './sanitize/identifier.ts';
export { type SafeTextOptions, safeText } from './sanitize/safe-text.ts';
export { sanitize } from './sanitize/sanitize.ts';
export type { Sanitizer } from './sanitize/sanitizer.ts';
export { type WebProtocol, type WebUrlOptions, webUrl } from './sanitize/web-url.ts';
export { systemClock } from './vocabulary/clock.ts';
export type { HandshakeStage, MaybePromise, MessageStage, StageName } from './vocabulary/decision.ts';
export {
  type ConnectionFacts,
  type EventName,
  eventNames,
  type GuardEvents,
  type HandshakeFacts,
  type HandshakeVerdict,
  type MessageVerdict,
} from './vocabulary/events.ts';
export type { EventLevel, OwaspEvent } from './vocabulary/owasp.ts';
export { PolicyError } from './vocabulary/policy-error.ts';
export type {
  Claims,
  Clock,
  ConnectionView,
  HandshakeRequest,
  Identity,
  Logger,
  Peer,
  RequestView,
} from './vocabulary/ports.ts';
export { type Reason, type ReasonEntry, reasons } from './vocabulary/reasons.ts';
export type { MessageOf, ReplyOf } from './vocabulary/schema-types.ts';
export type { Ban } from './vocabulary/store-contract.ts';
export type { ByteRate, ByteRateOption, Duration, Rate, RateOption, Size } from './vocabulary/units.ts';
export type { Codec, Payload } from './wire/codec.ts';
export type { EnvelopeName } from './wire/envelopes.ts';
