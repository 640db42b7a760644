import type { Authenticator } from '../auth/authenticator.ts';
import type { CredentialSource } from '../auth/credential-source.ts';
import type { UNAVAILABLE } from '../limits/precheck.ts';
import { showAs } from '../vocabulary/debug-view.ts';
import type { Denial } from '../vocabulary/decision.ts';
import type { Clock, HandshakeRequest, Identity, RequestView } from '../vocabulary/ports.ts';
import type { Hit, Lease } from '../vocabulary/store-contract.ts';
import { type Client, resolveClient, type TrustedProxies } from './address.ts';
import { type HandshakeHeaders, readHeaders } from './headers.ts';
import { type Host, parseHost } from './host.ts';
import { readTarget, type Target } from './target.ts';

export interface Credential {
  readonly value: string;
  readonly source: CredentialSource;
  readonly authenticator: Authenticator;
}

/** What reading a request needs. The same for every route. */
export interface Reading {
  readonly clock: Clock;
  readonly proxies: TrustedProxies;
  readonly headerCount: number;
  /** Query parameters that hold credentials on some route. They are scrubbed on all of them. */
  readonly queryCredentials: ReadonlySet<string>;
  readonly subprotocolMarkers: ReadonlySet<string>;
}

/** What a handshake sent and what each stage found out. It ends with the 101 or the refusal. */
export class HandshakeContext {
  readonly headers: HandshakeHeaders;
  readonly target: Target;
  readonly host: Host | undefined;
  /** `undefined` if a trusted proxy's header cannot be parsed. */
  readonly client: Client | undefined;
  /** As the client sent them, tokens included. The request stage checks and bounds them. */
  offered: readonly string[] = [];
  credential: Credential | undefined;
  identity: Identity | undefined;
  /** Whether a page of another site may have sent the request: then it is counted apart, and its visitor not banned for it. */
  unvouched = false;
  /** The store's answer about failed authentications of this address. */
  failures: Hit | typeof UNAVAILABLE | undefined;
  /** The denial to give if the address or the server has no free slot. */
  full: Denial | undefined;
  subprotocol: string | undefined;
  lease: Lease | undefined;
  /** Whether the connection will authenticate by its first message. */
  pending = false;
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

  /** For logs and events; 'unknown' if the forwarding header could not be parsed. */
  get address(): string {
    return this.client?.address.text ?? 'unknown';
  }

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

  /** The offered subprotocols without the tokens among them. */
  get scrubbedOffers(): readonly string[] {
    const { subprotocolMarkers } = this.reading;
    return this.offered.filter((_, i) => i === 0 || !subprotocolMarkers.has(this.offered[i - 1] as string));
  }
}
