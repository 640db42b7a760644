import { deny } from '../vocabulary/decision.ts';
import type { HandshakeContext } from './handshake-context.ts';
import type { HandshakeHeaders } from './headers.ts';
import { isLoopbackName } from './host.ts';
import type { Stage } from './stage.ts';

/** Allows unencrypted connections (`ws://`) from everywhere. It switches off the demand for TLS and nothing else. */
export const unsafeAllowPlaintext: unique symbol = Symbol('sallyport.unsafeAllowPlaintext');

/**
 * TLS only (ASVS 5.0, 4.4.1), and no redirect, which would teach clients to start unencrypted. Local development on
 * loopback is exempt, unless a proxy on this machine sent the request: behind it every client looks like loopback.
 */
export function transportStage(plaintextAllowed: boolean): Stage {
  return {
    name: 'transport',
    check(context) {
      const { client, headers } = context;
      // The address stage refuses a client whose forwarding header cannot be parsed.
      if (plaintextAllowed || client === undefined || client.secure || isLocalDevelopment(context))
        return undefined;
      if (headers.proxied && !client.throughTrustedProxy) {
        return deny(
          'tls_required',
          `the connection is not encrypted, and ${client.address.text} sends forwarding headers but is not in policy.trustedProxies: if it is your proxy, list it there`,
        );
      }
      return deny(
        'tls_required',
        client.throughTrustedProxy ? saidByProxy(headers) : 'the connection is not encrypted',
      );
    },
  };
}

function saidByProxy({ forwarded, forwardedFor }: HandshakeHeaders): string {
  return (forwarded ?? forwardedFor) === undefined
    ? 'the trusted proxy sends no forwarding header, so the client counts as not encrypted'
    : 'the proxy does not say that the client uses TLS';
}

function isLocalDevelopment({ client, host, headers }: HandshakeContext): boolean {
  return (
    client?.address.loopback === true && host !== undefined && isLoopbackName(host.name) && !headers.proxied
  );
}
