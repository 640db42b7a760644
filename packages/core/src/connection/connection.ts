import type { MaybePromise } from '../vocabulary/decision.ts';
import type { ConnectionView, Identity } from '../vocabulary/ports.ts';
import type { Reason } from '../vocabulary/reasons.ts';
import type { MessageOf, ReplyOf } from '../vocabulary/schema-types.ts';

/**
 * An open WebSocket that the guard has admitted. `I` is the union of the identities that the policy's authenticators return,
 * `M` the schemas of `policy.messages`, `R` those of `policy.replies`.
 *
 * `console.log` and `JSON.stringify` show who is connected, from where and since when, but no claims.
 */
export interface Connection<
  I extends Identity = Identity,
  M = Record<string, unknown>,
  R = Record<string, unknown>,
> extends ConnectionView {
  /** 128 random bits as text, which cannot be guessed. Events carry it as `connection`. */
  readonly id: string;

  /**
   * Who the client is. Frozen. `identity.scheme` says which authenticator accepted the credential, and narrows
   * `identity.claims`. A renewal replaces the identity by that of the new credential, with the same subject.
   */
  readonly identity: I;

  /**
   * `open` until either side begins to close, `closing` during the closing handshake, for at most `limits.closeTimeout`, and
   * `closed` once the socket has closed. Handlers run and messages are sent only while the state is `open`.
   */
  readonly state: 'open' | 'closing' | 'closed';

  /** The subprotocol that the server selected; `undefined` if none. Never a token. */
  readonly subprotocol: string | undefined;

  /** The client's IP address, as the proxies in `policy.trustedProxies` forward it. */
  readonly address: string;

  /** The path of the handshake's URL, without its query. */
  readonly path: string;

  /**
   * Aborts when the connection has closed, before the listeners of `onClose` are called. Pass it to what only this client waits
   * for, such as `fetch`, a query or a stream, so that the work ends with the client. It is the same signal each time.
   *
   * @example
   * ```ts
   * import { connectionOf, type WebSocket } from '@sallyport/ws';
   * import { guard } from './policy.ts';
   *
   * export function chat(socket: WebSocket): void {
   *   const connection = connectionOf(socket, guard);
   *   connection.on('say', async ({ room, text }) => {
   *     const answer = await fetch('https://translate.example.com', { method: 'POST', body: text, signal: connection.signal });
   *     connection.send('said', { room, text: await answer.text(), user: connection.identity.subject });
   *   });
   * }
   * ```
   */
  readonly signal: AbortSignal;

  /**
   * Calls the handler for each message of this type that has passed every check, with its body (after stripping and
   * sanitizing) and this connection.
   *
   * Messages are handled in order. While a handler's promise is pending, the next messages wait; beyond
   * `limits.queuedMessages`, the socket is not read. If a handler throws or rejects, the connection closes with `internal`
   * (1011); with `policy.onFault: 'reply'` the client gets the error `internal`, and the connection stays open.
   *
   * If you pass the name of a reply before the handler, the handler's result is sent as that reply. It carries the message's id
   * if the envelope has ids. In JSON-RPC every request is answered, with or without a named reply.
   *
   * @throws TypeError for a type that is not in `policy.messages`, or that has a handler already.
   *
   * @example
   * ```ts
   * import { connectionOf, type WebSocket } from '@sallyport/ws';
   * import { guard } from './policy.ts';
   *
   * export function chat(socket: WebSocket): void {
   *   const connection = connectionOf(socket, guard);
   *   connection.on('say', ({ room, text }) => {
   *     connection.send('said', { room, text, user: connection.identity.subject });
   *   });
   * }
   * ```
   */
  on<K extends keyof M & string>(
    type: K,
    handler: (message: MessageOf<M[K]>, connection: this) => unknown,
  ): this;
  on<K extends keyof M & string, A extends keyof R & string>(
    type: K,
    reply: A,
    handler: (message: MessageOf<M[K]>, connection: this) => MaybePromise<ReplyOf<R[A]>>,
  ): this;

  /**
   * Calls the listener once, when the connection has closed. `code` is the close code of RFC 6455 §7.4, or 1006 if no close
   * frame came. `reason` says why the guard ended the connection; it is `undefined` if your code or the client ended it.
   * If the connection has closed already, such as while your code waited for a database, the listener is called right after the
   * running code. A listener that throws or rejects causes the event `fault`; the other listeners are still called.
   *
   * @example
   * ```ts
   * import { connectionOf, type WebSocket } from '@sallyport/ws';
   * import { guard } from './policy.ts';
   *
   * const present = new Set<string>();
   *
   * export function chat(socket: WebSocket): void {
   *   const connection = connectionOf(socket, guard);
   *   present.add(connection.id);
   *   connection.onClose(({ code, reason }) => {
   *     present.delete(connection.id);
   *     console.log('closed', { code, reason });
   *   });
   * }
   * ```
   */
  onClose(listener: (event: { readonly code: number; readonly reason: Reason | undefined }) => unknown): this;

  /**
   * Sends a message: `{ type, ...body }`, or the form of `policy.envelope`. Returns `false` if it is not sent: once the
   * connection is no longer `open`, or if more than `limits.buffered` would wait to be sent. In the second case the
   * connection also closes with `slow_consumer` (1013), unless `policy.onSlowConsumer` is `'drop'`.
   *
   * @throws TypeError for a type that is not in `policy.replies`, or a body that does not match its schema. Nothing is sent.
   *
   * @example
   * ```ts
   * import { guard } from './policy.ts';
   *
   * for (const connection of guard.connections()) {
   *   if (!connection.send('maintenance', { minutes: 5 })) console.log(`${connection.id} is closing or too slow`);
   * }
   * ```
   */
  send<K extends keyof R & string>(type: K, body: ReplyOf<R[K]> & object): boolean;

  /**
   * Begins the closing handshake. The socket of a client that does not answer within `limits.closeTimeout` is destroyed. Only the
   * first call counts, and none has an effect after the guard itself has begun to close.
   *
   * @param code 1000–1014 without 1004–1006, or 3000–4999 (RFC 6455 §7.4). Default: 1000.
   * @param reason Text for the client, cut to 123 bytes of UTF-8 without splitting a character. Default: none.
   * @throws RangeError for a code that may not be sent.
   *
   * @example
   * ```ts
   * import { guard } from './policy.ts';
   *
   * for (const connection of guard.connections()) {
   *   if (connection.identity.subject === 'alice') connection.close(4000, 'you left the room');
   * }
   * ```
   */
  close(code?: number, reason?: string): void;

  /** Destroys the TCP connection at once, without a closing handshake. The client sees 1006. */
  terminate(): void;
}
