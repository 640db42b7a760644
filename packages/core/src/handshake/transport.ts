import { deny } from '../vocabulary/decision.ts';
import type { HandshakeContext } from './handshake-context.ts';
import type { HandshakeHeaders } from './headers.ts';
import { isLoopbackName } from './host.ts';
import type { Stage } from './stage.ts';

/** Lets plaintext (`ws://`) in from everywhere. It opens one thing only: the demand for TLS. */
export const unsafeAllowPlaintext: unique symbol = Symbol('sallyport.unsafeAllowPlaintext');

/**
 * TLS only (ASVS 5.0, 4.4.1), never a redirect, which would teach clients to begin in the clear. Loopback is exempt,
 * but only as a developer uses it: a proxy on the same machine makes every client look like loopback.
 */
export function transportStage(plaintextAllowed: boolean): Stage {
  return {
    name: 'transport',
    check(context) {
      const { client, headers } = context;
      // The address stage refuses what a trusted proxy sent and nobody can read.
      if (plaintextAllowed || client === undefined || client.secure || isLocalDevelopment(context))
        return undefined;
      if (headers.proxied && !client.throughTrustedProxy) {
        return deny(
          'tls_required',
          `plaintext, with forwarding headers from ${client.address.text}, which is not in policy.trustedProxies: if that is your proxy, list it`,
        );
      }
      return deny('tls_required', client.throughTrustedProxy ? saidByProxy(headers) : 'plaintext');
    },
  };
}

function saidByProxy({ forwarded, forwardedFor }: HandshakeHeaders): string {
  return (forwarded ?? forwardedFor) === undefined
    ? 'plaintext from a trusted proxy that sends no forwarding header'
    : 'the proxy does not say that the client uses TLS';
}

function isLocalDevelopment({ client, host, headers }: HandshakeContext): boolean {
  return (
    client?.address.loopback === true && host !== undefined && isLoopbackName(host.name) && !headers.proxied
  );
}
