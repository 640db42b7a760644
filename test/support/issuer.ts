import { generateKeyPairSync, type KeyObject, randomUUID, X509Certificate } from 'node:crypto';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { type JWK, type JWTPayload, SignJWT } from 'jose';
import { generate } from 'selfsigned';

interface SigningKey {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** How the issuer answers requests for its keys. */
/** `closes`: it ends a connection that was kept alive when a second request comes. `cuts`: it ends every connection. */
export type Behaviour = 'answers' | 'fails' | 'stalls' | 'lies' | 'closes' | 'cuts';

/** An identity provider that publishes keys over HTTP and can rotate them, stall, fail, or send a wrong answer. */
export class Issuer {
  /** How often its keys were fetched. */
  fetches = 0;
  /** How often it answered that they are the same as before (304). */
  unchanged = 0;
  /** Headers of its answers besides the type. With an `ETag`, requests that name it get 304. */
  headers: Readonly<Record<string, string>> = {};
  #behaviour: Behaviour = 'answers';
  #keys: SigningKey[] = [];
  #published: readonly unknown[] | undefined;
  #made = 0;
  readonly #id = randomUUID();
  readonly #stalled = new Set<ServerResponse>();
  readonly #used = new WeakSet<Socket>();
  readonly #server: Server;

  private constructor(
    readonly name: string,
    readonly tls: { readonly key: string; readonly cert: string } | undefined,
  ) {
    const listener = (_request: unknown, response: ServerResponse): void => this.#answer(response);
    this.#server = tls === undefined ? createServer(listener) : createHttpsServer(tls, listener);
    this.rotate();
  }

  static async start(name = 'https://id.example.com', tls?: Issuer['tls']): Promise<Issuer> {
    const issuer = new Issuer(name, tls);
    await new Promise<void>((resolve) => issuer.#server.listen(0, '127.0.0.1', resolve));
    return issuer;
  }

  /** With an id of its own, since the guard caches keys and failures by URL and the next issuer may get the same port. */
  get jwks(): string {
    const origin = this.tls === undefined ? 'http://127.0.0.1' : 'https://localhost';
    return `${origin}:${(this.#server.address() as AddressInfo).port}/${this.#id}/jwks.json`;
  }

  /** Changes the behaviour. Stalled requests are answered once it no longer stalls. */
  behave(behaviour: Behaviour): void {
    this.#behaviour = behaviour;
    if (behaviour === 'stalls') return;
    for (const response of this.#stalled) this.#answer(response, false);
    this.#stalled.clear();
  }

  /** Signs with a new key from now on. The old keys are no longer published, unless `keep` is true. */
  rotate({ keep = false } = {}): void {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.#keys = [{ kid: `key-${++this.#made}`, privateKey, publicKey }, ...(keep ? this.#keys : [])];
  }

  /** The JSON Web Keys that it publishes, the newest first. */
  get keys(): JWK[] {
    return this.#keys.map(({ kid, publicKey }) => ({
      ...publicKey.export({ format: 'jwk' }),
      kid,
      alg: 'ES256',
      use: 'sig',
    }));
  }

  /** Publishes these entries instead of its keys, until it is called without any. */
  publish(entries?: readonly unknown[]): void {
    this.#published = entries;
  }

  /** A self-signed certificate of the newest key, as in `x5c` (RFC 7517 §4.7). */
  async certificate(): Promise<string> {
    const [{ privateKey, publicKey }] = this.#keys as [SigningKey];
    const { cert } = await generate([{ name: 'commonName', value: 'issuer' }], {
      keyType: 'ec',
      keyPair: {
        privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
        publicKey: publicKey.export({ type: 'spki', format: 'pem' }) as string,
      },
    });
    return new X509Certificate(cert).raw.toString('base64');
  }

  /** A token signed with the newest key. */
  token(claims: JWTPayload, header: object = {}): Promise<string> {
    const [{ kid, privateKey }] = this.#keys as [SigningKey];
    return new SignJWT({ iss: this.name, aud: 'chat', ...claims })
      .setProtectedHeader({ alg: 'ES256', kid, ...header })
      .sign(privateKey);
  }

  /** Stops the HTTP server. */
  stop(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #answer(response: ServerResponse, counted = true): void {
    if (counted) this.fetches++;
    if (this.#behaviour === 'stalls') {
      this.#stalled.add(response);
      return;
    }
    const keys = this.#published ?? this.keys;
    const { req: request } = response;
    const again = this.#used.has(request.socket);
    this.#used.add(request.socket);
    if (this.#behaviour === 'cuts' || (this.#behaviour === 'closes' && again)) {
      request.socket.destroy();
      return;
    }
    const { etag } = this.headers;
    if (etag !== undefined && request.headers['if-none-match'] === etag) {
      this.unchanged++;
      response.writeHead(304, this.headers).end();
      return;
    }
    const lie = '<!doctype html><title>Sign in</title>';
    response.writeHead(this.#behaviour === 'fails' ? 503 : 200, {
      'Content-Type': 'application/json',
      ...this.headers,
    });
    response.end(this.#behaviour === 'lies' ? lie : JSON.stringify({ keys }));
  }
}
