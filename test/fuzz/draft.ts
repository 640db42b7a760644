import type { HandshakeRequest, Peer } from '@sallyport/core';

/** A handshake while the generator builds it, with the outcome that the generator expects. */
export class Draft {
  method = 'GET';
  httpVersion = '1.1';
  path = '/chat';
  readonly query: string[] = [];
  /** Replaces path and query. */
  target: string | undefined;
  readonly headers: [name: string, value: string][] = [];
  peer: Peer = { address: '203.0.113.7', encrypted: true, unix: false };
  /** The choices for which the handshake must be denied. If empty, it must be admitted. */
  readonly deniable: string[] = [];
  /** Whether the credential that counts is ambient. */
  ambient = false;
  /** The expected identity, if it is admitted. */
  subject: string | undefined;
  /** The expected subprotocol, if it is admitted. */
  subprotocol: string | undefined;
  /** Whether the custom authenticator never answers. */
  hangs = false;

  header(name: string, value: string): void {
    this.headers.push([name, value]);
  }

  deny(choice: string): void {
    this.deniable.push(choice);
  }

  request(order: (headers: [string, string][]) => [string, string][]): HandshakeRequest {
    const query = this.query.length === 0 ? '' : `?${this.query.join('&')}`;
    return {
      method: this.method,
      target: this.target ?? this.path + query,
      httpVersion: this.httpVersion,
      rawHeaders: order(this.headers).flat(),
      peer: this.peer,
    };
  }
}
