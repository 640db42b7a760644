import type { HandshakeRequest, Peer } from '@sallyport/core';

/** A handshake while the generator puts it together, and the generator's own word about it. */
export class Draft {
  method = 'GET';
  httpVersion = '1.1';
  path = '/chat';
  readonly query: string[] = [];
  /** Replaces path and query as a whole. */
  target: string | undefined;
  readonly headers: [name: string, value: string][] = [];
  peer: Peer = { address: '203.0.113.7', encrypted: true, unix: false };
  /** Names of the choices of which each alone makes it one that must be denied. Empty: it must be admitted. */
  readonly deniable: string[] = [];
  /** Whether the credential that counts is one that a browser attaches by itself. */
  ambient = false;
  /** Who it is, where it is admitted. */
  subject: string | undefined;
  /** What is answered, where it is admitted. */
  subprotocol: string | undefined;
  /** Whether the application's authenticator never answers. */
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
