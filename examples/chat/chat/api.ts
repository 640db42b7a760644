import type { IncomingHttpHeaders } from 'node:http';
import { Type } from '@sallyport/core';
import { Compile } from 'typebox/compile';
import { type Answer, json, problem } from './answer.ts';
import type { Chat } from './chat.ts';
import { SESSION_SECONDS, type Session } from './sessions.ts';

const Login = Compile(
  Type.Object(
    { user: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$' }) },
    { additionalProperties: false },
  ),
);

/** The HTTP routes of the chat. Each returns an answer, which the host sends. */
export class Api {
  /** The origin of the attacker's page, which the attack buttons open. */
  attacker: string | undefined;

  constructor(
    readonly chat: Chat,
    readonly host: string,
    /** Whether the cookie is sent over TLS only. */
    readonly secure: boolean,
  ) {}

  /** Starts a session for any user name: the demo has no passwords. */
  async login(headers: IncomingHttpHeaders, body: unknown): Promise<Answer> {
    if (isCrossSite(headers)) return CROSS_SITE;
    if (!Login.Check(body)) {
      return problem(
        400,
        'user_invalid',
        'Give { "user": … }: up to 32 letters, digits, dots, dashes and underscores.',
      );
    }
    const { session, cookie } = await this.chat.sessions.start(body.user);
    const token = await this.chat.tokens.issue(session);
    return json(200, { token }, { 'Set-Cookie': this.#cookie(cookie, SESSION_SECONDS) });
  }

  /** Answers 202 if the other nodes cannot be told yet. */
  async logout(headers: IncomingHttpHeaders): Promise<Answer> {
    if (isCrossSite(headers)) return CROSS_SITE;
    const session = await this.#session(headers);
    const told = session === undefined || (await this.chat.leave(session));
    return json(told ? 200 : 202, {}, { 'Set-Cookie': this.#cookie('', 0) });
  }

  /** Issues another token of the session, to connect or to renew a connection. */
  async token(headers: IncomingHttpHeaders): Promise<Answer> {
    if (isCrossSite(headers)) return CROSS_SITE;
    const session = await this.#session(headers);
    return session === undefined ? NO_SESSION : json(200, { token: await this.chat.tokens.issue(session) });
  }

  /** Issues a ticket for the origin that asks, or for any origin to a client without an `Origin`, which is no browser. */
  async ticket(headers: IncomingHttpHeaders): Promise<Answer> {
    if (isCrossSite(headers)) return CROSS_SITE;
    const session = await this.#session(headers);
    if (session === undefined) return NO_SESSION;
    try {
      return json(200, { ticket: await this.chat.issueTicket(session, headers.origin ?? 'any') });
    } catch {
      // The store is away or full, and a ticket that only this node knows would work on no other node.
      return NO_TICKET;
    }
  }

  health(): Answer {
    const { connections, admitted, denied } = this.chat.guard.stats();
    return json(200, { status: 'ok', connections, admitted, denied });
  }

  /** What the page needs to know. */
  async setup(headers: IncomingHttpHeaders): Promise<Answer> {
    const { host, attacker } = this;
    const session = await this.#session(headers);
    return json(200, { host, attacker, user: session?.user ?? null });
  }

  async #session({ cookie = '' }: IncomingHttpHeaders): Promise<Session | undefined> {
    const values = cookie.split(';').flatMap((pair) => /^\s*session=(.*?)\s*$/.exec(pair)?.[1] ?? []);
    // Two cookies with this name count as none, as in the guard: another site may have set one of them.
    return values.length === 1 ? this.chat.sessions.find(values[0]) : undefined;
  }

  #cookie(value: string, seconds: number): string {
    const secure = this.secure ? '; Secure' : '';
    return `session=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Lax${secure}`;
  }
}

const CROSS_SITE = problem(403, 'cross_site', 'Another site may not ask for this.');
const NO_SESSION = problem(401, 'session_missing', 'Log in first.');
const NO_TICKET = problem(503, 'store_unavailable', 'There are no tickets just now. Try again later.');

/**
 * Whether a page of another origin sent the request. `SameSite=Lax` does not prevent that: another port and a sibling
 * subdomain belong to the same site.
 */
function isCrossSite({ host, origin, 'sec-fetch-site': site }: IncomingHttpHeaders): boolean {
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true;
  if (origin === undefined) return false;
  return !URL.canParse(origin) || new URL(origin).origin !== origin || new URL(origin).host !== host;
}
