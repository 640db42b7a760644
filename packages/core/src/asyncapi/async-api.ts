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
 * An AsyncAPI 3.0 document of one guard or several: a channel for each, with the messages in both directions, the
 * places of credentials and the `ws` binding. It tells what a client needs, and nothing of the keys, origins, hosts,
 * addresses and rules by which the server decides. A guard never changes, so make the document once at the start. A
 * guard without a path becomes a channel with the guard's name and without an address.
 *
 * Serve it unchanged: `app.get('/asyncapi.json', () => document)` with Fastify, `app.get('/asyncapi.json', (_request,
 * response) => response.json(document))` with Express.
 *
 * Where the document cannot be exact, it allows more: a schema whose library gives no JSON Schema allows any body,
 * and so does what draft-07, the dialect of AsyncAPI, cannot express. A sanitized text is described as handlers get
 * it.
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

/** Security that all channels share is listed with the servers, otherwise with the operations. */
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
