import type { Route } from '../guard/route.ts';
import type { SchemaNode } from '../wire/envelope.ts';
import type { WaysIn } from './credential-places.ts';
import type { HandshakeBinding } from './document.ts';

/** The `ws` binding of a route: what a handshake holds, but nothing that the server compares it with. */
export function handshakeBinding(route: Route, ways: WaysIn): HandshakeBinding {
  const query = querySchema(route, ways);
  return {
    method: 'GET',
    ...(query !== undefined && { query }),
    headers: headersSchema(route, ways),
    bindingVersion: '0.1.0',
  };
}

function querySchema(
  { settings: { csrf } }: Route,
  { places, late, without }: WaysIn,
): SchemaNode | undefined {
  const properties = new Map<string, SchemaNode>();
  for (const { source, isTicket } of places) {
    if (source.kind !== 'query') continue;
    const description = isTicket ? 'A ticket, which can be used once.' : 'A credential.';
    properties.set(source.name, { type: 'string', description });
  }
  if (csrf !== undefined) {
    const description = 'An anti-forgery token, beside a credential that browsers send by themselves.';
    properties.set(csrf.query, { type: 'string', description });
  }
  if (properties.size === 0) return undefined;
  const [only, ...others] = places;
  const isOnlyWay = only?.source.kind === 'query' && others.length === 0 && !late && without === undefined;
  return {
    type: 'object',
    properties: Object.fromEntries(properties),
    ...(isOnlyWay && { required: [only.source.name] }),
  };
}

function headersSchema({ settings: { subprotocols } }: Route, { places, ambient }: WaysIn): SchemaNode {
  const offers = [
    ...(subprotocols.length > 0 ? [`One or more of ${subprotocols.map(code).join(', ')}.`] : []),
    ...places.flatMap(({ source }) =>
      source.kind === 'subprotocol' ? [`${code(source.marker)}, and the credential after it.`] : [],
    ),
  ];
  return {
    type: 'object',
    properties: {
      Origin: {
        type: 'string',
        description:
          'The page that connects, which has to be one that is let in. Browsers set it themselves.',
      },
      ...(offers.length > 0 && {
        'Sec-WebSocket-Protocol': { type: 'string', description: offers.join(' ') },
      }),
    },
    ...(ambient && { required: ['Origin'] }),
  };
}

function code(text: string): string {
  return `\`${text}\``;
}
