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
 * Answers with the first offer that the policy lists, else with the marker in front of a token (RFC 6455 §4.2.2). If
 * no offer is known, the handshake is refused: a browser that offers subprotocols and gets none closes the connection
 * after the 101.
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
        `policy.subprotocols lists none of the ${offered.length} offered subprotocols`,
      );
    },
  };
}

function tokenMarker({ credential }: HandshakeContext): string | undefined {
  return credential?.source.kind === 'subprotocol' ? credential.source.marker : undefined;
}
