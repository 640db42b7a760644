import { describe, expect, test } from '@jest/globals';
import {
  type AsyncApiOptions,
  anonymous,
  asyncApi,
  bearer,
  cookie,
  createGuard,
  custom,
  jwt,
  passthrough,
  query,
  Type,
} from '@sallyport/core';
import { guardOf, SAY } from '../support/guards.ts';

const info = { title: 'Chat', version: '1.2.0' };
const host = { ...info, host: 'chat.example.com' };
const key = (...from: ReturnType<typeof query>[] | ReturnType<typeof bearer>[]) =>
  custom({ scheme: 'key', from, messageField: 'key', authenticate: () => undefined });
const chat = (options: object = {}) => guardOf({ auth: [key(bearer())], replies: { said: SAY }, ...options });
const refs = (...keys: string[]) => keys.map((each) => ({ $ref: `#/components/securitySchemes/${each}` }));

describe('the document', () => {
  test('the document is AsyncAPI 3.0 and has only what was given', () => {
    const document = asyncApi({ guard: chat(), path: '/chat' }, info);
    expect(document).toMatchObject({ asyncapi: '3.0.0', info, defaultContentType: 'application/json' });
    expect(document).not.toHaveProperty('servers');
    expect(document.info).not.toHaveProperty('description');
    expect(asyncApi(chat(), { ...info, description: 'Talk.' }).info.description).toBe('Talk.');
  });

  test('the document is plain JSON and a new object each time', () => {
    const guard = chat({ messages: { say: { schema: SAY, size: '1KiB' } }, firstMessage: true });
    const document = asyncApi({ guard, path: '/chat' }, host);
    expect(JSON.parse(JSON.stringify(document))).toStrictEqual(document);
    const again = asyncApi({ guard, path: '/chat' }, host);
    expect(again).toEqual(document);
    expect(again.components.messages.say).not.toBe(document.components.messages.say);
  });

  test('each message has an operation that refers to it through its channel', () => {
    const { channels, operations, components } = asyncApi({ guard: chat(), path: '/chat' }, info);
    expect(channels.chat?.messages).toEqual({
      say: { $ref: '#/components/messages/say' },
      said: { $ref: '#/components/messages/said' },
      error: { $ref: '#/components/messages/error' },
    });
    const channel = { $ref: '#/channels/chat' };
    const operation = (action: string, name: string) => ({
      action,
      channel,
      messages: [{ $ref: `#/channels/chat/messages/${name}` }],
      security: refs('bearer'),
    });
    expect(operations).toEqual({
      'chat.receive.say': operation('receive', 'say'),
      'chat.send.said': operation('send', 'said'),
      'chat.send.error': operation('send', 'error'),
    });
    expect(Object.keys(components.messages)).toEqual(['say', 'said', 'error']);
  });

  test('in JSON-RPC the document says what answers a request', () => {
    const { operations } = asyncApi({ guard: chat({ envelope: 'json-rpc' }), path: '/rpc' }, info);
    expect(operations['rpc.receive.say']?.reply).toEqual({
      channel: { $ref: '#/channels/rpc' },
      messages: [{ $ref: '#/channels/rpc/messages/result' }, { $ref: '#/channels/rpc/messages/error' }],
    });
    expect(operations['rpc.send.said']).not.toHaveProperty('reply');
  });

  test('an opaque protocol has one message in each direction', () => {
    const guard = chat({ messages: passthrough({ binary: true }), replies: undefined });
    const { operations, components } = asyncApi({ guard, path: '/yjs' }, info);
    expect(Object.keys(operations)).toEqual(['yjs.receive.opaque', 'yjs.send.opaque']);
    expect(Object.keys(components.messages)).toEqual(['opaque']);
  });

  test('any name of a message type gives a valid document', () => {
    const names = ['text/say', '$cancel', '__proto__', 'constructor', 'a b'];
    const messages = Object.fromEntries(names.map((name) => [name, SAY]));
    const { channels, components } = asyncApi({ guard: chat({ messages }), path: '/chat' }, info);
    const own = Object.values(components.messages).slice(0, names.length);
    expect(own.map(({ name }) => name)).toEqual(names);
    expect(Object.keys(channels.chat?.messages ?? {})).toEqual(Object.keys(components.messages));
  });

  test('a message and a reply of the same name are separate messages', () => {
    const { channels } = asyncApi({ guard: chat({ replies: { say: SAY } }), path: '/chat' }, info);
    expect(Object.keys(channels.chat?.messages ?? {})).toEqual(['say', 'chat.say', 'error']);
  });
});

describe('the address', () => {
  const channelsAt = (path: string) => asyncApi({ guard: chat(), path }, info).channels;

  test.each([
    ['/chat', 'chat', '/chat', undefined],
    ['/', 'root', '/', undefined],
    ['/api/v1/chat/', 'api.v1.chat', '/api/v1/chat/', undefined],
    ['/rooms/:room/:user_id', 'rooms.room.user_id', '/rooms/{room}/{user_id}', { room: {}, user_id: {} }],
    ['/rooms/{room}', 'rooms.room', '/rooms/{room}', { room: {} }],
    ['/räume', 'r_ume', '/räume', undefined],
  ])('path %s becomes channel %s with address %s', (path, name, address, parameters) => {
    const channels = channelsAt(path);
    expect(Object.keys(channels)).toEqual([name]);
    expect(channels[name]?.address).toBe(address);
    expect(channels[name]?.parameters).toEqual(parameters);
  });

  test('a guard without a path has a channel with its name and no address', () => {
    expect(asyncApi(chat({ name: 'lobby' }), info).channels).toMatchObject({ lobby: { address: null } });
    expect(Object.keys(asyncApi([chat(), chat()], info).channels)).toEqual(['default', 'default.2']);
  });
});

describe('several guards', () => {
  const base = chat();
  const admin = base.extend({ messages: { say: SAY, ban: SAY }, auth: [key(query('key'))] } as object);
  const entries = [
    { guard: base, path: '/chat' },
    { guard: admin, path: '/admin' },
  ];

  test('several guards have a channel each and share equal parts', () => {
    const { channels, components } = asyncApi(entries, info);
    expect(Object.keys(channels)).toEqual(['chat', 'admin']);
    expect(Object.keys(channels.admin?.messages ?? {})).toEqual(['say', 'ban', 'said', 'error']);
    expect(Object.keys(components.messages)).toEqual(['say', 'said', 'error', 'ban']);
  });

  test('parts of different guards with the same name stay separate', () => {
    const other = base.extend({ messages: { say: Type.Object({ id: Type.Number() }) } } as object);
    const { channels, components } = asyncApi([...entries, { guard: other, path: '/other' }], info);
    expect(channels.other?.messages).toMatchObject({
      'other.say': { $ref: '#/components/messages/other.say' },
    });
    expect(components.messages['other.say']).toMatchObject({
      name: 'say',
      payload: { properties: { id: { type: 'number' } } },
    });
    expect(components.messages.say).toMatchObject({ payload: { properties: { text: { type: 'string' } } } });
  });

  test('security that differs between guards is listed with the operations', () => {
    const { servers, operations } = asyncApi(entries, host);
    expect(servers?.default).not.toHaveProperty('security');
    expect(operations['chat.receive.say']?.security).toEqual(refs('bearer'));
    expect(operations['admin.receive.say']?.security).toEqual(refs('query.key'));
  });
});

describe('what has to be used', () => {
  test('security that all guards share is listed with the servers', () => {
    const entries = ['/a', '/b'].map((path) => ({ guard: chat(), path }));
    const { servers, operations } = asyncApi(entries, host);
    expect(servers?.default?.security).toEqual(refs('bearer'));
    for (const operation of Object.values(operations)) expect(operation).not.toHaveProperty('security');
  });

  test('guards that need no credential list no security', () => {
    const guard = chat({ auth: [key(bearer()), anonymous()] });
    const { servers, operations, components, channels } = asyncApi({ guard, path: '/chat' }, host);
    expect(servers?.default).not.toHaveProperty('security');
    expect(operations['chat.receive.say']).not.toHaveProperty('security');
    expect(Object.keys(components.securitySchemes ?? {})).toEqual(['bearer']);
    expect(channels.chat?.description).toBe('No credential has to be brought.');
  });

  test('security may be what the server knows, or the first message', () => {
    const session = custom({ scheme: 'session', authenticate: () => undefined });
    const told = (options: object) =>
      asyncApi({ guard: chat(options), path: '/' }, info).channels.root?.description;
    expect(told({ auth: [session] })).toMatch(/^Without a credential, the server goes by/);
    expect(told({ firstMessage: true })).toMatch(
      /^After a handshake without a credential, the first message/,
    );
    expect(told({})).toBeUndefined();
    expect(asyncApi(chat({ auth: [session] }), info).components).not.toHaveProperty('securitySchemes');
  });
});

describe('servers', () => {
  test('servers come from host or by name, with wss as their default', () => {
    expect(asyncApi(chat({ auth: [anonymous()] }), host).servers).toEqual({
      default: { host: 'chat.example.com', protocol: 'wss' },
    });
    const servers = {
      live: { host: 'chat.example.com', pathname: '/api', description: 'The real one.' },
      local: { host: 'localhost:3000', protocol: 'ws' },
    } as const;
    expect(asyncApi(chat({ auth: [anonymous()] }), { ...info, servers }).servers).toEqual({
      live: { ...servers.live, protocol: 'wss' },
      local: servers.local,
    });
  });
});

describe('mistakes are refused, with the fix:', () => {
  const guard = chat();
  const entry = { guard, path: '/chat' };
  test.each<[unknown, object, string]>([
    [entry, { version: '1' }, 'asyncApi({ title }): it is missing'],
    [entry, { title: 'a' }, 'asyncApi({ version }): it is missing'],
    [entry, { ...info, version: 1 }, 'asyncApi({ version })'],
    [entry, { ...info, sever: {} }, "asyncApi({ sever }): unknown option. Did you mean 'servers'?"],
    [entry, { ...host, servers: {} }, 'asyncApi({ host }): the servers say it, too'],
    [entry, { ...info, host: 'wss://chat.example.com' }, 'asyncApi({ host }): it is no host'],
    [entry, { ...info, servers: { a: {} } }, 'asyncApi({ servers: { a: { host } } }): it is no host'],
    [
      entry,
      { ...info, servers: { a: { host: 'a', protocol: 'http' } } },
      'asyncApi({ servers: { a: { protocol } } })',
    ],
    [
      entry,
      { ...info, servers: { a: { host: 'a', pathname: 'b' } } },
      'asyncApi({ servers: { a: { pathname } } })',
    ],
    [
      entry,
      { ...info, servers: { a: { host: 'a', port: 1 } } },
      'asyncApi({ servers: { a: { port } } }): unknown option',
    ],
    [[], info, 'asyncApi(): there is no guard'],
    [{ guard, path: 'chat' }, info, 'asyncApi().path: it is no path'],
    [{ guard, path: '/chat?a' }, info, 'asyncApi().path: it is no path'],
    [[entry, entry], info, "asyncApi().path: '/chat' is there twice"],
  ])('options with a mistake throw a PolicyError with the fix, case %#', (channels, options, message) => {
    expect(() => asyncApi(channels as typeof entry, options as AsyncApiOptions)).toThrow(message);
  });
});

test('the document tells nothing of what the server decides by', () => {
  const hidden = 'hidden';
  const schema = Type.Object(
    { text: Type.String({ $comment: `${hidden} comment` }) },
    { $id: `${hidden}-id` },
  );
  const guard = createGuard({
    name: `${hidden} name`,
    hosts: [`${hidden}-host.example.com`],
    origins: [`https://${hidden}-origin.example.com`],
    trustedProxies: ['192.0.2.77'],
    auth: [
      jwt({
        from: [bearer(), cookie('sid')],
        secret: `${hidden} secret of at least thirty-two bytes`,
        algorithms: ['HS256'],
        issuer: `https://${hidden}-issuer.example.com`,
        audience: `${hidden} audience`,
        scheme: `${hidden}-scheme`,
        sessionClaim: `${hidden}-claim`,
        requiredClaims: [`${hidden}-required`],
      }),
    ],
    firstMessage: true,
    csrf: { query: 'csrf', verify: () => true },
    messages: { say: { schema, authorize: ({ identity }) => identity.subject === hidden } },
    logger: false,
  });
  const document = JSON.stringify(asyncApi({ guard, path: '/chat' }, host));
  expect(document).not.toMatch(/hidden|192\.0\.2|HS256|"authorize"/i);
  // What a client has to know is there all the same.
  for (const told of ['"sid"', '"csrf"', '"say"', '"text"', '"token"']) expect(document).toContain(told);
});
