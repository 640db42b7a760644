import type { AnyGuard } from '../guard/guard.ts';
import {
  type AsyncApiChannel,
  type AsyncApiOptions,
  checkOptions,
  entriesOf,
  serversOf,
} from './asyncapi-options.ts';
import { type Components, type DescribedChannel, describeChannel } from './channel.ts';
import type { AsyncApiDocument, ChannelObject, OperationObject, Reference } from './document.ts';
import { SchemaShelf } from './schema-shelf.ts';
import { Shelf } from './shelf.ts';

/**
 * An AsyncAPI 3.0 document of a guard, or of several: a channel for each, with the messages both ways, the places of
 * credentials and the `ws` binding. It tells what a client needs; of the keys, origins, hosts, addresses and rules that
 * the server decides by, it tells nothing. A guard never changes, so make it once, at the start. A guard without its path
 * makes a channel that is called by the guard's name and has no address.
 *
 * Serve it as it is: `app.get('/asyncapi.json', () => document)` with Fastify,
 * `app.get('/asyncapi.json', (_request, response) => response.json(document))` with Express.
 *
 * What cannot be told exactly is told more loosely: the body of a schema whose library tells no JSON Schema is open, and
 * so is what draft-07, the dialect of AsyncAPI, has no words for. A sanitized text is described as it is handed on.
 *
 * @throws PolicyError for a missing title or version, and for unknown or contradictory options.
 *
 * @example
 * ```ts
 * import { asyncApi } from '@sallyport/core';
 * import { guard } from './policy.ts';
 *
 * export const document = asyncApi({ guard, path: '/chat' }, { title: 'Chat', version: '1.0.0' });
 * ```
 */
export function asyncApi(
  channels: AnyGuard | AsyncApiChannel | readonly (AnyGuard | AsyncApiChannel)[],
  options: AsyncApiOptions,
): AsyncApiDocument {
  checkOptions(options);
  const { title, version, description } = options;
  const components: Components = {
    messages: new Shelf(),
    schemas: new SchemaShelf(),
    securitySchemes: new Shelf(),
  };
  const keys = new Shelf<ChannelObject>();
  const described = entriesOf(channels).map(({ guard, path }) =>
    describeChannel(guard, path, keys.reserve(nameOf(guard, path)), components),
  );
  const servers = serversOf(options);
  const common = servers === undefined ? undefined : commonSecurity(described);
  const schemas = components.schemas.record;
  const securitySchemes = components.securitySchemes.record;
  return {
    asyncapi: '3.0.0',
    info: { title, version, ...(description !== undefined && { description }) },
    defaultContentType: 'application/json',
    ...(servers !== undefined && {
      servers: Object.fromEntries(
        servers.map(([name, server]) => [
          name,
          { protocol: 'wss', ...server, ...(common !== undefined && { security: common }) },
        ]),
      ),
    }),
    channels: Object.fromEntries(described.map(({ key, channel }) => [key, channel])),
    operations: Object.fromEntries(
      described.flatMap((each) => (common === undefined ? securedOperations(each) : each.operations)),
    ),
    components: {
      messages: components.messages.record ?? {},
      ...(schemas !== undefined && { schemas }),
      ...(securitySchemes !== undefined && { securitySchemes }),
    },
  };
}

function nameOf(guard: AnyGuard, path: string | undefined): string {
  if (path === undefined) return guard.name;
  return path.split('/').filter(Boolean).join('.').replace(/[:{}]/g, '') || 'root';
}

/** What has to be used on every channel alike is said of the servers; else of the operations. */
function commonSecurity([first, ...others]: readonly DescribedChannel[]): readonly Reference[] | undefined {
  if (first === undefined || first.security.length === 0) return undefined;
  const security = JSON.stringify(first.security);
  return others.every((other) => JSON.stringify(other.security) === security) ? first.security : undefined;
}

function securedOperations({
  operations,
  security,
}: DescribedChannel): readonly (readonly [string, OperationObject])[] {
  if (security.length === 0) return operations;
  return operations.map(([key, operation]) => [key, { ...operation, security }]);
}
