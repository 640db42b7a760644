import { createHash } from 'node:crypto';
import { UNAVAILABLE } from '../limits/precheck.ts';
import { type Denial, deny, isPromise, settled } from '../vocabulary/decision.ts';
import type { Kind } from '../vocabulary/option.ts';
import { option, optional, readOnlyOptions } from '../vocabulary/option-table.ts';
import { PolicyError } from '../vocabulary/policy-error.ts';
import type { Claims, Clock, Identity } from '../vocabulary/ports.ts';
import { type Duration, parseDuration } from '../vocabulary/units.ts';
import { parseUrl } from '../vocabulary/url.ts';
import { type Authenticator, freezeIdentity, type TicketStore } from './authenticator.ts';
import { type CredentialSource, places, query } from './credential-source.ts';
import { type Moment, secondsOf } from './moment.ts';

/** The identity that `tickets()` gives: what `guard.tickets.issue` was told of it. */
export type TicketIdentity = Identity<'ticket', Claims>;

/** What a ticket is issued for. */
export interface TicketRequest {
  readonly subject: string;
  readonly session?: string | undefined;
  readonly claims?: Claims;
  /**
   * When the user logged in, in seconds since the epoch or as a `Date`. A message's `freshness` and a revocation's `issuedBefore`
   * compare with it. Default: now, so that every ticket is a fresh credential.
   */
  readonly issuedAt?: Moment | undefined;
  /**
   * When the connection must end, in seconds since the epoch or as a `Date`, such as the end of the session. Default:
   * `limits.lifetime`.
   */
  readonly expiresAt?: Moment | undefined;
  /** The origin of the page that may redeem the ticket, such as `https://app.example.com`, or `'any'`. */
  readonly origin: string;
  /** The path for which it is valid, such as `/chat`, or `'any'`. */
  readonly route: string;
  /** How long the ticket can be redeemed. Default: the `ttl` of `tickets()`, which is also the longest. */
  readonly ttl?: Duration;
}

/** Options of `tickets()`. */
export interface TicketOptions {
  /** Where the ticket is looked for. Default: `[query('ticket')]`, from where it is scrubbed. */
  readonly from?: readonly CredentialSource[];
  /** How long a ticket can be redeemed, at most 30 s. Default: 30 s. Beyond: `credential_invalid` (401). */
  readonly ttl?: Duration;
}

const ttl: Kind<Duration, number> = {
  type: 'Duration',
  read(value, option) {
    const milliseconds = parseDuration(value, option);
    if (milliseconds <= LONGEST) return milliseconds;
    throw new PolicyError(option, 'a ticket that lives long is a password in a URL', 'Use 30 s or less.');
  },
};

export const TICKET_OPTIONS = {
  from: optional(places(1), "`[query('ticket')]`, from where it is scrubbed"),
  ttl: option(ttl, '30s', 'credential_invalid'),
};

interface StoredTicket {
  readonly subject: string;
  readonly session: string | undefined;
  readonly claims: Claims;
  readonly origin: string;
  readonly route: string;
  /** Seconds since the epoch. */
  readonly issuedAt: number;
  /** Milliseconds since the epoch. */
  readonly redeemableUntil: number;
  /** Seconds since the epoch. */
  readonly expiresAt: number | undefined;
}

/** OWASP ASVS 5.0, 7.2.3 demands 128 random bits. */
const TICKET_BYTES = 32;
const LONGEST = 30_000;
const TICKET_TTL: unique symbol = Symbol('ticket ttl');

interface TicketAuthenticator extends Authenticator<TicketIdentity> {
  /** Milliseconds. */
  readonly [TICKET_TTL]: number;
}

/**
 * Accepts single-use tickets. A page requests a ticket from its own server over HTTP, with its session, and presents
 * it within seconds. This authenticates a browser without a cookie on the socket or a long-lived token in a URL.
 *
 * A ticket is bound to a subject, an origin and a route. Presenting it anywhere else uses it up and is denied. The
 * store holds only its hash.
 *
 * @example
 * ```ts
 * import { createGuard, tickets, Type } from '@sallyport/core';
 *
 * export const guard = createGuard({
 *   origins: ['https://app.example.com'],
 *   auth: [tickets({ ttl: '10s' })], // new WebSocket(`wss://chat.example.com/chat?ticket=${ticket}`)
 *   messages: { say: Type.Object({ text: Type.String({ maxLength: 500 }) }) },
 * });
 * ```
 */
export function tickets(options: TicketOptions = {}): Authenticator<TicketIdentity> {
  const { from = [query('ticket')], ttl } = readOnlyOptions(TICKET_OPTIONS, options, 'tickets()');
  const authenticator: TicketAuthenticator = {
    [TICKET_TTL]: ttl,
    scheme: 'ticket',
    from,
    ambient: false,
    asksOutside: true,
    spends: true,
    messageField: 'ticket',
    authenticate({ credential = '', request, clock, store }) {
      const found = store.redeem(keyOf(credential));
      const decide = (text: string | undefined | typeof UNAVAILABLE): TicketIdentity | Denial =>
        text === UNAVAILABLE
          ? deny('store_unavailable', 'the store does not answer, so the ticket cannot be redeemed')
          : checkTicket(text, request.origin, request.path, clock);
      return isPromise(found) ? settled(found).then(decide) : decide(found);
    },
  };
  return authenticator;
}

/** Issues tickets into the store from which the guard redeems them. */
export interface TicketOffice {
  /**
   * Issues a ticket: 256 random bits as base64url. Rejects if the store does not answer.
   *
   * @throws PolicyError for a missing subject, origin or route, and for a `ttl` above that of `tickets()`.
   *
   * @example
   * ```ts
   * import { createGuard, tickets, Type } from '@sallyport/core';
   *
   * const guard = createGuard({ auth: [tickets()], messages: { say: Type.Object({}) } });
   *
   * // In an HTTP route that has checked the session:
   * export const issueTicket = (user: string): Promise<string> =>
   *   guard.tickets.issue({ subject: user, origin: 'https://app.example.com', route: '/chat' });
   * ```
   */
  issue(request: TicketRequest): Promise<string>;
}

/** The ticket office of one guard. */
export class TicketIssuer implements TicketOffice {
  constructor(
    readonly store: TicketStore,
    readonly clock: Clock,
    /** Milliseconds for which a ticket can be redeemed at the longest. */
    readonly ttl: number,
  ) {}

  async issue(request: TicketRequest): Promise<string> {
    const { subject, session, claims = {}, origin, route } = request;
    if (typeof subject !== 'string' || subject === '') throw missing('subject', 'Say who may use it.');
    if (origin !== 'any' && !isOrigin(origin))
      throw missing('origin', "Name the page's origin exactly, or 'any'.");
    if (typeof route !== 'string' || (route !== 'any' && !route.startsWith('/'))) {
      throw missing('route', "Name the path, such as '/chat', or 'any'.");
    }
    const ttl = request.ttl === undefined ? this.ttl : parseDuration(request.ttl, 'tickets.issue({ ttl })');
    if (ttl > this.ttl) throw missing('ttl', 'It may be shorter than that of tickets(), and no longer.');
    const ticket = Buffer.from(crypto.getRandomValues(new Uint8Array(TICKET_BYTES))).toString('base64url');
    const now = this.clock.now();
    const expiresAt = readMoment(request.expiresAt, 'expiresAt');
    const issuedAt = readMoment(request.issuedAt, 'issuedAt') ?? now / 1_000;
    if (issuedAt * 1_000 > now)
      throw missing('issuedAt', 'Give a time that is not in the future, or leave it out.');
    const redeemableUntil = now + ttl;
    const stored: StoredTicket = {
      subject,
      session,
      claims,
      origin,
      route,
      issuedAt: Math.floor(issuedAt),
      redeemableUntil,
      expiresAt,
    };
    await this.store.put(keyOf(ticket), JSON.stringify(stored), ttl);
    return ticket;
  }
}

export function ticketTtl(authenticators: readonly Authenticator[]): number | undefined {
  const found = authenticators.find((entry) => TICKET_TTL in entry) as { [TICKET_TTL]?: number } | undefined;
  return found?.[TICKET_TTL];
}

/** Redeeming has removed the ticket, so a mismatch uses it up. */
function checkTicket(
  text: string | undefined,
  origin: string | undefined,
  path: string,
  clock: Clock,
): TicketIdentity | Denial {
  if (text === undefined) return deny('credential_invalid', 'the ticket is unknown, spent or expired');
  const ticket = JSON.parse(text) as StoredTicket;
  if (clock.now() >= ticket.redeemableUntil) return deny('credential_invalid', 'the ticket has expired');
  if (ticket.origin !== 'any' && ticket.origin !== origin)
    return deny('credential_invalid', 'the ticket is for another origin');
  if (ticket.route !== 'any' && ticket.route !== path)
    return deny('credential_invalid', 'the ticket is for another route');
  const { subject, session, claims, issuedAt, expiresAt } = ticket;
  if (expiresAt !== undefined && clock.now() >= expiresAt * 1_000)
    return deny('credential_expired', 'the session behind the ticket has ended');
  return freezeIdentity<TicketIdentity>({
    scheme: 'ticket',
    subject,
    session,
    issuedAt,
    expiresAt,
    claims,
  });
}

function keyOf(ticket: string): string {
  return `ticket ${createHash('sha256').update(ticket).digest('base64url')}`;
}

function isOrigin(text: unknown): boolean {
  const origin = typeof text === 'string' ? parseUrl(text)?.origin : undefined;
  return origin !== undefined && (origin === text || origin === 'null');
}

function readMoment(moment: unknown, option: string): number | undefined {
  try {
    return secondsOf(moment, 'it');
  } catch (error) {
    throw missing(option, (error as Error).message);
  }
}

function missing(option: string, fix: string): PolicyError {
  return new PolicyError(`tickets.issue({ ${option} })`, 'it is missing or not acceptable', fix);
}
