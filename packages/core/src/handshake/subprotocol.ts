import { TOKEN } from '../auth/credential-source.ts';
import { deny } from '../vocabulary/decision.ts';
import { PolicyError } from '../vocabulary/policy-error.ts';
import type { HandshakeContext } from './handshake-context.ts';
import type { Stage } from './stage.ts';

export function checkSubprotocols(names: readonly string[]): readonly string[] {
  for (const name of names) {
    if (typeof name !== 'string' || !TOKEN.test(name)) {
      throw new PolicyError(
        'policy.subprotocols',
        `'${name}' is not a subprotocol name`,
        "Use names such as 'chat.v1'.",
      );
    }
  }
  return names;
}

/**
 * Chooses the answer (RFC 6455 §4.2.2): the first of the client's offers that the policy lists, else the marker of
 * the subprotocol that carried the token. Offers that hold nothing known are refused, since a browser that asked
 * for a subprotocol and gets none fails the connection after the 101.
 */
export function subprotocolStage(supported: readonly string[]): Stage {
  return {
    name: 'subprotocol',
    check(context) {
      const offered = context.scrubbedOffers;
      const marker = tokenMarker(context);
      context.subprotocol = offered.find((name) => name !== marker && supported.includes(name)) ?? marker;
      if (context.subprotocol !== undefined || offered.length === 0) return undefined;
      return deny(
        'subprotocol_denied',
        `${offered.length} offered, none of them listed in policy.subprotocols`,
      );
    },
  };
}

function tokenMarker({ credential }: HandshakeContext): string | undefined {
  return credential?.source.kind === 'subprotocol' ? credential.source.marker : undefined;
}
