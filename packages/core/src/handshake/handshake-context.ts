import type { Authenticator } from '../auth/authenticator.ts';
import type { CredentialSource } from '../auth/credential-source.ts';
import type { UNAVAILABLE } from '../limits/precheck.ts';
import { showAs } from '../vocabulary/debug-view.ts';
import type { Denial } from '../vocabulary/decision.ts';
import type { Clock, HandshakeRequest, Identity, RequestView } from '../vocabulary/ports.ts';
import type { Hit, Lease } from '../vocabulary/store.ts';
import { type Client, resolveClient, type TrustedProxies } from './address.ts';
import { type HandshakeHeaders, readHeaders } from './headers.ts';
import { type Host, parseHost } from './host.ts';
import { readTarget, type Target } from './target.ts';

/** A credential that was found, who judges it, and whether it came by itself. */
export interface Credential {
  readonly value: string;
  readonly source: CredentialSource;
  readonly authenticator: Authenticator;
}

/** What the guard needs to know to read a request, the same for every route. */
export interface Reading {
  readonly clock: Clock;
  readonly proxies: TrustedProxies;
  /** No more headers than these are read. */
  readonly headerCount: number;
  /** Query parameters that hold credentials on any route: they are scrubbed on every one. */
  readonly queryCredentials: ReadonlySet<string>;
  /** Subprotocol markers that a token follows, on any route. */
  readonly subprotocolMarkers: ReadonlySet<string>;
}

/**
 * One handshake while it is being decided: what was received, and what each stage has found out so far. It lives
 * until the 101 or the refusal; a connection keeps the few fields that it needs.
 */
export class HandshakeContext {
  readonly headers: HandshakeHeaders;
  readonly target: Target;
  readonly host: Host | undefined;
  /** `undefined` when a trusted proxy's word about the client cannot be understood. */
  readonly client: Client | undefined;
  /** Subprotocols as offered, tokens included; read and bounded by the request stage. */
  offered: readonly string[] = [];
  credential: Credential | undefined;
  identity: Identity | undefined;
  /** Whether a page may have sent it that nobody vouches for: then its visitor is not to blame. */
  unvouched = false;
  /** What the store has said of this address's failed authentications. */
  failures: Hit | typeof UNAVAILABLE | undefined;
  /** What it has said of the slots of this address and in total, where one was full. */
  full: Denial | undefined;
  /** The subprotocol to answer with. */
  subprotocol: string | undefined;
  lease: Lease | undefined;
  /** Let through without a credential, to authenticate by its first message. */
  pending = false;
  /** Held in addition while that lasts. */
  pendingLease: Lease | undefined;
  native: unknown;
  #view: RequestView | undefined;
  #abort: AbortController | undefined;
  #aborted = false;

  static {
    showAs('HandshakeContext', HandshakeContext.prototype, (context) =>
      #aborted in context
        ? {
            address: context.address,
            host: context.headers.host,
            origin: context.headers.origin,
            target: context.target.scrubbed,
            offered: context.scrubbedOffers,
            credential: context.credential?.source.kind,
            subject: context.identity?.subject,
            subprotocol: context.subprotocol,
          }
        : undefined,
    );
  }

  constructor(
    readonly request: HandshakeRequest,
    readonly reading: Reading,
  ) {
    this.headers = readHeaders(request.rawHeaders, reading.headerCount);
    this.target = readTarget(request.target, reading.queryCredentials);
    this.host = this.headers.host === undefined ? undefined : parseHost(this.headers.host);
    this.client = resolveClient(request.peer, this.headers, reading.proxies);
  }

  /** The client's address in words; what could not be understood is told as such. */
  get address(): string {
    return this.client?.address.text ?? 'unknown';
  }

  /** What the application's hooks are shown. */
  get view(): RequestView {
    this.#view ??= {
      target: this.target.scrubbed,
      path: this.target.path,
      host: this.headers.host ?? '',
      origin: this.headers.origin,
      address: this.address,
      secure: this.client?.secure ?? false,
      native: this.native,
    };
    return this.#view;
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.#aborted) this.#abort.abort();
    return this.#abort.signal;
  }

  abort(): void {
    this.#aborted = true;
    this.#abort?.abort();
  }

  /** The offers without the tokens among them: what later listeners may see. */
  get scrubbedOffers(): readonly string[] {
    const { subprotocolMarkers } = this.reading;
    return this.offered.filter((_, i) => i === 0 || !subprotocolMarkers.has(this.offered[i - 1] as string));
  }
}
