import { sourceKey } from '../auth/credential-source.ts';
import type { CredentialPlace, WaysIn } from './credential-places.ts';
import type { SecurityScheme } from './document.ts';

/** AsyncAPI 3 has no type for a credential in a message; this one is closest. */
const FIRST_MESSAGE: SecurityScheme = {
  type: 'apiKey',
  in: 'password',
  description: 'In a field of the message `auth`, the first one after the handshake.',
};

/** The places of a credential as security schemes, by name. A client uses one of them. */
export function securitySchemes({ places, late }: WaysIn): readonly (readonly [string, SecurityScheme])[] {
  const schemes = places.map(
    (place) => [sourceKey(place.source).replace(' ', '.'), schemeOf(place)] as const,
  );
  return late ? [...schemes, ['firstMessage', FIRST_MESSAGE]] : schemes;
}

function schemeOf({ source, isTicket }: CredentialPlace): SecurityScheme {
  const what = isTicket ? 'A ticket, which can be used once and within seconds' : 'A credential';
  switch (source.kind) {
    case 'bearer':
      return { type: 'http', scheme: 'bearer', description: `${what}, in a header that pages cannot set.` };
    case 'cookie':
      return {
        type: 'httpApiKey',
        in: 'cookie',
        name: source.name,
        description: `${what} that browsers send by themselves, so that the \`Origin\` has to be one that is let in.`,
      };
    case 'query':
      return { type: 'httpApiKey', in: 'query', name: source.name, description: `${what}.` };
    case 'subprotocol':
      return {
        type: 'httpApiKey',
        in: 'header',
        name: 'Sec-WebSocket-Protocol',
        description: `${what}, offered right after the subprotocol \`${source.marker}\`: \`new WebSocket(url, ['${source.marker}', credential])\`.`,
      };
  }
}
