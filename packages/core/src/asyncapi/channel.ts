import type { AnyGuard } from '../guard/guard.ts';
import { internalsOf } from '../guard/internals.ts';
import { type WaysIn, waysIn } from './credential-places.ts';
import type { ChannelObject, MessageObject, OperationObject, Reference, SecurityScheme } from './document.ts';
import { handshakeBinding } from './handshake-binding.ts';
import { messagesOf } from './messages.ts';
import type { SchemaShelf } from './schema-shelf.ts';
import { securitySchemes } from './security-schemes.ts';
import type { Shelf } from './shelf.ts';

export interface Components {
  readonly messages: Shelf<MessageObject>;
  readonly schemas: SchemaShelf;
  readonly securitySchemes: Shelf<SecurityScheme>;
}

export interface DescribedChannel {
  readonly key: string;
  readonly channel: ChannelObject;
  readonly operations: readonly (readonly [key: string, OperationObject])[];
  /** The client must use one of these. Empty: it needs none. */
  readonly security: readonly Reference[];
}

/** A route as a channel, with an operation for each of its messages. */
export function describeChannel(
  guard: AnyGuard,
  path: string | undefined,
  key: string,
  components: Components,
): DescribedChannel {
  const { route } = internalsOf(guard);
  const ways = waysIn(route);
  const { received, sent, answers } = messagesOf(route, components.schemas);
  const description = sentenceOn(ways);
  const channel: Reference = { $ref: `#/channels/${key}` };
  const keys = new Map(
    [...received, ...sent].map((message) => [
      message,
      components.messages.put([message.name, `${key}.${message.name}`], message),
    ]),
  );
  const referTo = (message: MessageObject): Reference => ({
    $ref: `${channel.$ref}/messages/${keys.get(message)}`,
  });
  const reply = answers.length === 0 ? {} : { reply: { channel, messages: answers.map(referTo) } };
  const operation = (action: 'receive' | 'send', message: MessageObject, more: object) =>
    [
      `${key}.${action}.${keys.get(message)}`,
      { action, channel, messages: [referTo(message)], ...more },
    ] as const;
  const schemes = securitySchemes(ways).map(([name, scheme]) => ({
    $ref: `#/components/securitySchemes/${components.securitySchemes.put([name, `${key}.${name}`], scheme)}`,
  }));
  return {
    key,
    channel: {
      ...addressOf(path),
      ...(description !== undefined && { description }),
      messages: Object.fromEntries(
        [...keys.values()].map((each) => [each, { $ref: `#/components/messages/${each}` }]),
      ),
      bindings: { ws: handshakeBinding(route, ways) },
    },
    operations: [
      ...received.map((message) => operation('receive', message, reply)),
      ...sent.map((message) => operation('send', message, {})),
    ],
    security: ways.without === undefined ? schemes : [],
  };
}

/** A path parameter is `:name` on the hosts, and `{name}` in a document. */
function addressOf(path: string | undefined): Pick<ChannelObject, 'address' | 'parameters'> {
  if (path === undefined) return { address: null };
  const address = path.replace(/:(\w+)/g, '{$1}');
  const names = [...address.matchAll(/\{([\w-]+)\}/g)].map(([, name]) => [name, {}]);
  return { address, ...(names.length > 0 && { parameters: Object.fromEntries(names) }) };
}

function sentenceOn({ late, without }: WaysIn): string | undefined {
  if (late)
    return 'After a handshake without a credential, the first message has to be `auth`; nothing else is read before.';
  if (without === 'nobody') return 'No credential has to be brought.';
  if (without === 'known')
    return 'Without a credential, the server goes by what else it knows of the handshake, such as a session.';
  return undefined;
}
