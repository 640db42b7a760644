import { Parser } from '@asyncapi/parser';
import { afterEach, describe, expect, test } from '@jest/globals';
import { decode, encode } from '@msgpack/msgpack';
import {
  type AnyGuard,
  type AsyncApiDocument,
  anonymous,
  asyncApi,
  bearer,
  type Codec,
  cookie,
  createGuard,
  escapedText,
  identifier,
  passthrough,
  query,
  safeText,
  subprotocol,
  Type,
  tickets,
  webUrl,
} from '@sallyport/core';
import { safeHtml } from '@sallyport/core/html';
import { type } from 'arktype';
import express from 'express';
import fastify from 'fastify';
import * as v from 'valibot';
import { z } from 'zod';
import { chatGuard, chatJwt } from '../support/chat-policy.ts';

const messagePack: Codec = {
  contentType: 'application/msgpack',
  frames: 'binary',
  uniqueKeys: true,
  decode: (data) => decode(data as Uint8Array),
  encode: (value) => encode(value),
};
const info = { title: 'Chat', version: '1.0.0', description: 'Where people talk.', host: 'chat.example.com' };
const said = { said: Type.Object({ text: Type.String() }) };
const auth = [chatJwt([bearer(), cookie('sid'), subprotocol(), query('key')]), tickets()];

/** Every kind of schema, and every form that AsyncAPI's schema dialect writes differently. */
const node = z.object({
  name: z.string(),
  get kids() {
    return z.array(node);
  },
});
const schemas = {
  typebox: Type.Object({ text: Type.String({ format: 'uuid' }), n: Type.Optional(Type.Integer()) }),
  tuple: Type.Object({ pair: Type.Tuple([Type.String(), Type.Number()]), none: Type.Tuple([]) }),
  both: Type.Intersect([Type.Object({ a: Type.String() }), Type.Object({ b: Type.String() })]),
  either: Type.Union([Type.Object({ a: Type.String() }), Type.Object({ b: Type.String() })]),
  cyclic: Type.Object({
    tree: Type.Cyclic({ Node: Type.Object({ kids: Type.Array(Type.Ref('Node')) }) }, 'Node'),
  }),
  record: Type.Object({ by: Type.Record(Type.String(), Type.Number()) }),
  json: {
    type: 'object',
    properties: { list: { type: 'array', prefixItems: [{ type: 'string' }], items: { $ref: '#/$defs/n' } } },
    $defs: { n: { type: 'number', $comment: 'a number' } },
    dependentRequired: { list: ['more'] },
  },
  sanitized: Type.Object({
    text: safeText(),
    html: safeHtml(),
    escaped: escapedText(),
    name: identifier(),
    link: webUrl(),
  }),
  zod: z.object({ id: z.nanoid(), at: z.string().transform(Number), kind: z.enum(['a', 'b']).default('a') }),
  node,
  valibot: v.object({ text: v.string() }),
  arktype: type({ text: 'string <= 9', 'more?': 'number[]' }),
  'odd/name $': Type.Object({}),
};

const chat = (options: object = {}) =>
  chatGuard({ auth, messages: schemas as never, replies: said, subprotocols: ['chat.v1'], ...options });
const late = { firstMessage: true, renewal: { notice: '1m' } } as const;
const base = chat();
const at = (path: string, guard: AnyGuard) => ({ guard, path });

const documents: Record<string, AsyncApiDocument> = {
  flat: asyncApi(at('/chat', base), info),
  nested: asyncApi(at('/chat', chat({ envelope: 'nested' })), info),
  'json-rpc': asyncApi(at('/rpc', chat({ envelope: 'json-rpc' })), info),
  MessagePack: asyncApi(at('/chat', chat({ codec: messagePack, envelope: 'nested' })), info),
  'a first message': asyncApi(at('/chat', chat(late)), info),
  'a first message, nested': asyncApi(at('/chat', chat({ ...late, envelope: 'nested' })), info),
  'a first message in JSON-RPC': asyncApi(at('/chat', chat({ ...late, envelope: 'json-rpc' })), info),
  'anything sent': asyncApi(at('/chat', chat({ replies: undefined })), info),
  opaque: asyncApi(at('/yjs', chat({ messages: passthrough({ binary: true }) })), info),
  'opaque, with a first message': asyncApi(
    at('/graphql', chat({ messages: passthrough({ text: true, binary: true }), firstMessage: true })),
    info,
  ),
  anonymous: asyncApi(at('/public', chat({ auth: [anonymous()] })), info),
  'an extension': asyncApi(at('/admin', base.extend({ messages: { ban: schemas.zod } } as object)), info),
  'several guards': asyncApi(
    [
      at('/chat', base),
      at('/rooms/:room', base.extend({ auth: [tickets()], envelope: 'nested' } as object)),
      at('/admin', base.extend({ messages: { ban: node } } as object)),
    ],
    info,
  ),
  'nothing but a guard': asyncApi(base, { title: 'Chat', version: '1' }),
  'several servers': asyncApi(at('/chat', base), {
    title: 'Chat',
    version: '1',
    servers: {
      live: { host: 'chat.example.com', pathname: '/api', title: 'Live', description: 'The real one.' },
      local: { host: 'localhost:3000', protocol: 'ws' },
    },
  }),
};

const ERROR = 0;
const WARNING = 1;
const parser = new Parser();
const complaints = async (document: unknown) => {
  const { diagnostics } = await parser.parse(JSON.parse(JSON.stringify(document)));
  return diagnostics
    .filter(({ severity }) => severity === ERROR || severity === WARNING)
    .map(({ message, path }) => `${path.join('.')}: ${message}`);
};

describe('diagnostics of the AsyncAPI parser', () => {
  test.each(Object.entries(documents))(
    'the AsyncAPI parser finds no error or warning in the document of: %s',
    async (_what, document) => {
      expect(await complaints(document)).toEqual([]);
    },
  );

  test('the AsyncAPI parser finds errors in documents without a version, components or a valid binding', async () => {
    const { flat } = documents as { flat: AsyncApiDocument };
    expect(await complaints({ ...flat, info: { title: 'Chat' } })).not.toEqual([]);
    expect(await complaints({ ...flat, components: {} })).not.toEqual([]);
    expect(
      await complaints({
        ...flat,
        channels: { chat: { ...flat.channels.chat, bindings: { ws: { method: 'PUT' } } } },
      }),
    ).not.toEqual([]);
  });
});

test('the AsyncAPI parser reads the channel, messages, server and security schemes of the policy', async () => {
  const { document } = await parser.parse(JSON.stringify(documents['a first message in JSON-RPC']));
  const channel = document?.channels().get('chat');
  expect(channel?.address()).toBe('/chat');
  expect(channel?.bindings().get('ws')?.json()).toMatchObject({
    method: 'GET',
    query: { properties: { key: {}, ticket: {} } },
  });
  const names = (action: 'isReceive' | 'isSend') =>
    document
      ?.operations()
      .all()
      .filter((each) => each[action]())
      .flatMap((each) =>
        each
          .messages()
          .all()
          .map((message) => message.name()),
      );
  expect(names('isReceive')).toEqual([...Object.keys(schemas), 'auth']);
  expect(names('isSend')).toEqual(['said', 'result', 'auth_ok', 'auth_expiring', 'error']);
  const server = document?.servers().get('default');
  expect([server?.protocol(), server?.host()]).toEqual(['wss', 'chat.example.com']);
  const schemes = server?.security().flatMap((each) => each.all().map((requirement) => requirement.scheme()));
  expect(schemes?.map((scheme) => [scheme.type(), scheme.in() ?? scheme.scheme()])).toEqual([
    ['http', 'bearer'],
    ['httpApiKey', 'cookie'],
    ['httpApiKey', 'header'],
    ['httpApiKey', 'query'],
    ['httpApiKey', 'query'],
    ['apiKey', 'password'],
  ]);
});

describe('a route that returns a document', () => {
  const closers: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0)) await close();
  });
  const document = asyncApi(
    { guard: createGuard({ auth: [anonymous()], messages: {}, logger: false }), path: '/chat' },
    info,
  );
  const fetched = async (origin: string) => {
    const response = await fetch(`${origin}/asyncapi.json`);
    expect(response.headers.get('content-type')).toMatch(/^application\/json/);
    return response.json();
  };

  test('a Fastify route returns the document as JSON', async () => {
    const app = fastify();
    closers.push(() => app.close());
    app.get('/asyncapi.json', () => document);
    const served = await fetched(await app.listen({ port: 0, host: '127.0.0.1' }));
    expect(served).toEqual(document);
    expect(await complaints(served)).toEqual([]);
  });

  test('an Express route returns the document as JSON', async () => {
    const app = express();
    app.get('/asyncapi.json', (_request, response) => void response.json(document));
    const server = app.listen(0, '127.0.0.1');
    closers.push(() => new Promise((resolve) => server.close(resolve)));
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    expect(await fetched(`http://127.0.0.1:${port}`)).toEqual(document);
  });
});
