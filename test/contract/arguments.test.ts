// What TypeScript refuses and plain JavaScript does not: a wrong argument throws where it is given, names it and says the fix, and
// leaves the server as it was. It would otherwise end the process at the first client.
import { createServer, type Server } from 'node:http';
import * as http2 from 'node:http2';
import { createServer as createNetServer } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import * as core from '@sallyport/core';
import { safeHtml } from '@sallyport/core/html';
import * as ofExpress from '@sallyport/express';
import * as ofFastify from '@sallyport/fastify';
import * as ofKoa from '@sallyport/koa';
import * as ofRedis from '@sallyport/redis';
import * as ofWs from '@sallyport/ws';
import * as testing from '@sallyport/ws/testing';
import express from 'express';
import expressWs from 'express-ws';
import fastify from 'fastify';
import Koa from 'koa';
import websockify from 'koa-websocket';
import { WebSocketServer } from 'ws';

const { anonymous, createGuard, PolicyError, safeText, Type } = core;
const aGuard = () =>
  createGuard({
    auth: [anonymous()],
    messages: { say: Type.Object({}) },
    replies: { said: Type.Object({}) },
    logger: false,
  });
const aWss = () => new WebSocketServer({ noServer: true });
const guard = aGuard();

/** What is neither a guard, nor a server, an application, a socket or options. A function is given where none is expected. */
const NONE = [undefined, null, 7, 'x', true, [], {}];
const WITH_FUNCTION = [...NONE, () => {}];
/** What are no options. `undefined` stands for none. */
const NO_OPTIONS = [null, 7, 'x', true, [], () => {}];

type Call = (value: never) => unknown;
/** A call with one wrong argument, the wrong values, and what the error begins with. */
type Case = readonly [what: string, wrong: readonly unknown[], call: Call, error: RegExp];

function servers(where: string, call: (server: never) => unknown): Case[] {
  const name = where.replace(/[()]/g, '\\$&');
  const others = [...WITH_FUNCTION, express(), new Koa(), aWss(), createNetServer(), guard];
  return [
    [`${where}, no server`, others, call, new RegExp(`^${name}: it is not an HTTP server. Give `)],
    [
      `${where}, a server of node:http2`,
      [http2.createServer(), http2.createSecureServer({ allowHTTP1: true })],
      call,
      new RegExp(`^${name}: it is a server of node:http2, and HTTP/2 has no upgrade requests. Serve `),
    ],
  ];
}

const NOT_A_GUARD = 'it is not a guard. Make one with createGuard.';
const noOptions = (what: string, call: Call, where: RegExp, wrong: readonly unknown[] = NO_OPTIONS): Case => [
  what,
  wrong,
  call,
  new RegExp(`${where.source}: .*not an object`),
];

const policyErrors: Case[] = [
  ...servers('guardServer(server, …)', (server) => ofWs.guardServer(server, aWss(), aGuard())),
  [
    'guardServer(server, guard)',
    [...WITH_FUNCTION, guard, createServer()],
    (wss) => ofWs.guardServer(createServer(), wss, aGuard()),
    /^guardServer\(…, wss, …\): it is not a WebSocket server. Make one with new WebSocketServer/,
  ],
  [
    'guardServer(server, wss)',
    WITH_FUNCTION,
    (value) => ofWs.guardServer(createServer(), aWss(), value),
    new RegExp(`^guardServer\\(…, guard\\): ${NOT_A_GUARD}`),
  ],
  noOptions(
    'guardServer(server, wss, guard, options)',
    (options) => ofWs.guardServer(createServer(), aWss(), aGuard(), options),
    /^guardServer\(…\)/,
  ),
  [
    'guardServer({ path })',
    ['chat', '*', '/rooms/:id', /^\/chat$/, 7, null, []],
    (path) => ofWs.guardServer(createServer(), aWss(), aGuard(), { path }),
    /^guardServer\(…, \{ path \}\): /,
  ],
  [
    'guardServer({ otherUpgrades })',
    [true, 'private', 7, {}],
    (otherUpgrades) => ofWs.guardServer(createServer(), aWss(), aGuard(), { otherUpgrades }),
    /^guardServer\(…, \{ otherUpgrades \}\): .* Use public/,
  ],
  ...servers('gracefulShutdown(server, …)', (server) =>
    ofWs.gracefulShutdown(server, aGuard(), { signals: [] }),
  ),
  [
    'gracefulShutdown(server)',
    WITH_FUNCTION,
    (value) => ofWs.gracefulShutdown(createServer(), value, { signals: [] }),
    new RegExp(`^gracefulShutdown\\(…, guard\\): ${NOT_A_GUARD}`),
  ],
  noOptions(
    'gracefulShutdown(server, guard, options)',
    (options) => ofWs.gracefulShutdown(createServer(), aGuard(), options),
    /^gracefulShutdown\(…\)/,
  ),
  [
    'gracefulShutdown({ signals })',
    [null, 7, 'SIGTERM', {}, ['TERM'], ['SIGKILL'], ['SIGSTOP'], [15]],
    (signals) => ofWs.gracefulShutdown(createServer(), aGuard(), { signals }),
    /^gracefulShutdown\(…, \{ signals \}\): .* Write \['SIGTERM', 'SIGINT'\]/,
  ],
  ...servers('openSocket(server)', (server) => testing.openSocket(server)),

  ...servers('upgrade(server, …)', (server) => ofExpress.upgrade(server, express() as never, aGuard())),
  [
    'upgrade(server, guard) of Express',
    [...NONE, guard],
    (app) => ofExpress.upgrade(createServer(), app, aGuard()),
    /^upgrade\(…, app, …\): it is not a function. Give the application/,
  ],
  [
    'upgrade(server, app) of Express',
    WITH_FUNCTION,
    (value) => ofExpress.upgrade(createServer(), express() as never, value),
    new RegExp(`^upgrade\\(…, guard\\): ${NOT_A_GUARD}`),
  ],
  noOptions(
    'upgrade(server, app, guard, options) of Express',
    (options) => ofExpress.upgrade(createServer(), express() as never, aGuard(), options),
    /^upgrade\(…\)/,
  ),
  [
    'upgrade({ otherUpgrades }) of Express',
    [true, 'private'],
    (otherUpgrades) => ofExpress.upgrade(createServer(), express() as never, aGuard(), { otherUpgrades }),
    /^upgrade\(…, \{ otherUpgrades \}\): /,
  ],
  [
    'websocket(handler) of Express',
    WITH_FUNCTION,
    (value) => ofExpress.websocket(value, () => {}),
    new RegExp(`^websocket\\(guard, …\\): ${NOT_A_GUARD}`),
  ],
  [
    'websocket(guard) of Express',
    NONE,
    (handler) => ofExpress.websocket(guard, handler),
    /^websocket\(…, handler\): it is not a function/,
  ],
  [
    'refuseUnguarded() of Express',
    WITH_FUNCTION,
    (value) => ofExpress.refuseUnguarded(value),
    new RegExp(`^refuseUnguarded\\(guard\\): ${NOT_A_GUARD}`),
  ],
  [
    'guardExpressWs(app, guard)',
    [...WITH_FUNCTION, express()],
    (instance) => ofExpress.guardExpressWs(instance, aGuard()),
    /^guardExpressWs\(instance, …\): it is not what expressWs\(\) returns/,
  ],
  [
    'guardExpressWs(instance)',
    WITH_FUNCTION,
    (value) => ofExpress.guardExpressWs(expressWs(express()) as never, value),
    new RegExp(`^guardExpressWs\\(…, guard\\): ${NOT_A_GUARD}`),
  ],

  ...servers('upgrade(server, …)', (server) => ofKoa.upgrade(server, new Koa(), aGuard())),
  [
    'upgrade(server, guard) of Koa',
    [...WITH_FUNCTION, guard, express()],
    (app) => ofKoa.upgrade(createServer(), app, aGuard()),
    /^upgrade\(…, app, …\): it is not a function. Give the application/,
  ],
  [
    'upgrade(server, app) of Koa',
    WITH_FUNCTION,
    (value) => ofKoa.upgrade(createServer(), new Koa(), value),
    new RegExp(`^upgrade\\(…, guard\\): ${NOT_A_GUARD}`),
  ],
  noOptions(
    'upgrade(server, app, guard, options) of Koa',
    (options) => ofKoa.upgrade(createServer(), new Koa(), aGuard(), options),
    /^upgrade\(…\)/,
  ),
  [
    'websocket(handler) of Koa',
    WITH_FUNCTION,
    (value) => ofKoa.websocket(value, () => {}),
    new RegExp(`^websocket\\(guard, …\\): ${NOT_A_GUARD}`),
  ],
  [
    'websocket(guard) of Koa',
    NONE,
    (handler) => ofKoa.websocket(guard, handler),
    /^websocket\(…, handler\): it is not a function/,
  ],
  [
    'refuseUnguarded() of Koa',
    WITH_FUNCTION,
    (value) => ofKoa.refuseUnguarded(value),
    new RegExp(`^refuseUnguarded\\(guard\\): ${NOT_A_GUARD}`),
  ],
  [
    'guardKoaWebsocket(app, guard)',
    [...WITH_FUNCTION, new Koa()],
    (app) => ofKoa.guardKoaWebsocket(app, aGuard()),
    /^guardKoaWebsocket\(app, …\): it is not an application of koa-websocket/,
  ],
  [
    'guardKoaWebsocket(app)',
    WITH_FUNCTION,
    (value) => ofKoa.guardKoaWebsocket(websockify(new Koa()) as never, value),
    new RegExp(`^guardKoaWebsocket\\(…, guard\\): ${NOT_A_GUARD}`),
  ],
  noOptions(
    'guardKoaWebsocket(app, guard, options)',
    (options) => ofKoa.guardKoaWebsocket(websockify(new Koa()) as never, aGuard(), options),
    /^guardKoaWebsocket\(…\)/,
  ),
  [
    'guardKoaWebsocket({ middleware })',
    [null, 7, () => {}, [7], {}],
    (middleware) => ofKoa.guardKoaWebsocket(websockify(new Koa()) as never, aGuard(), { middleware }),
    /^guardKoaWebsocket\(…, \{ middleware \}\): it is not a list of middleware/,
  ],

  [
    'sallyport({ guard })',
    NONE.slice(1),
    (value) => fastify().register(ofFastify.sallyport, { guard: value }).ready(),
    new RegExp(`^register\\(sallyport, \\{ guard \\}\\): ${NOT_A_GUARD}`),
  ],
  ...servers('register(sallyport, { server })', (server) =>
    fastify().register(ofFastify.sallyport, { guard: aGuard(), server }).ready(),
  ).map(([what, wrong, ...rest]): Case => [what, wrong.filter((value) => value !== undefined), ...rest]),

  noOptions('createGuard(policy)', (policy) => createGuard(policy), /^policy/, NO_OPTIONS),
  noOptions('definePolicy(policy)', (policy) => core.definePolicy(policy), /^policy/),
  noOptions('guard.extend(options)', (options) => guard.extend(options), /^extend\(\)/, [
    undefined,
    ...NO_OPTIONS,
  ]),
  noOptions('bearer(options)', (options) => core.bearer(options), /^bearer\(\)/),
  noOptions('subprotocol(options)', (options) => core.subprotocol(options), /^subprotocol\(\)/),
  noOptions('jwt(options)', (options) => core.jwt(options), /^jwt\(\)/, [undefined, ...NO_OPTIONS]),
  noOptions('custom(options)', (options) => core.custom(options), /^custom\(\)/),
  noOptions('tickets(options)', (options) => core.tickets(options), /^tickets\(\)/),
  noOptions('memoryStore(options)', (options) => core.memoryStore(options), /^memoryStore\(\)/),
  noOptions('passthrough(frames)', (frames) => core.passthrough(frames), /^passthrough\(\)/, [
    undefined,
    ...NO_OPTIONS,
  ]),
  noOptions('safeText(options)', (options) => safeText(options), /^safeText\(\)/),
  noOptions('escapedText(options)', (options) => core.escapedText(options), /^escapedText\(\)/),
  noOptions('identifier(options)', (options) => core.identifier(options), /^identifier\(\)/),
  noOptions('webUrl(options)', (options) => core.webUrl(options), /^webUrl\(\)/),
  noOptions('safeHtml(options)', (options) => safeHtml(options), /^safeHtml\(\)/),
  [
    'cookie(name)',
    WITH_FUNCTION.filter((name) => name !== 'x'),
    (name) => core.cookie(name),
    /^cookie\(name\)/,
  ],
  ['query(name)', WITH_FUNCTION.filter((name) => name !== 'x'), (name) => core.query(name), /^query\(name\)/],
  [
    'asyncApi(guard)',
    [undefined, null, 7, 'x', {}, () => {}, { guard: {}, path: '/chat' }, [7]],
    (value) => core.asyncApi(value, { title: 'Chat', version: '1' }),
    new RegExp(`^asyncApi\\(\\)(\\.guard)?: ${NOT_A_GUARD}`),
  ],
  noOptions('asyncApi(guard, options)', (options) => core.asyncApi(guard, options), /^asyncApi\(\)/, [
    undefined,
    ...NO_OPTIONS,
  ]),
  [
    'sanitize(schema)',
    WITH_FUNCTION,
    (schema) => core.sanitize(schema, 'x'),
    /^sanitize\(\): the schema has no sanitizer/,
  ],
  noOptions('guard.close(options)', (options) => aGuard().close(options), /^close\(\)/),
];

describe('a wrong argument throws a PolicyError that names it and the fix', () => {
  test.each(policyErrors)('%s', async (_what, wrong, call, error) => {
    expect(wrong.length).toBeGreaterThan(1);
    for (const value of wrong) {
      const thrown = await failureOf(() => call(value as never));
      expect([value, thrown]).toEqual([value, expect.any(PolicyError)]);
      expect((thrown as Error).message).toMatch(error);
    }
  });
});

const typeErrors: Case[] = [
  [
    'connectionOf(socket)',
    WITH_FUNCTION,
    (socket) => ofWs.connectionOf(socket, guard),
    /^This socket was not admitted by a guard/,
  ],
  [
    'redisStore(client)',
    WITH_FUNCTION,
    (client) => ofRedis.redisStore(client),
    /^redisStore\(client\): it is neither a client/,
  ],
  [
    'sanitize(schema, text)',
    [undefined, null, 7, [], {}],
    (text) => core.sanitize(safeText(), text),
    /takes a text/,
  ],
  ['guard.on(name)', WITH_FUNCTION, (name) => guard.on(name, () => {}), /^There is no event/],
  [
    'guard.on(name, listener)',
    NONE,
    (listener) => guard.on('store.failing', listener),
    /^on\('store.failing', …\) takes a function/,
  ],
  [
    'guard.broadcast(type, body, filter)',
    NONE.slice(2),
    (filter) => guard.broadcast('said', {}, filter),
    /^broadcast\('said', …, filter\) takes a function/,
  ],
  ['guard.revoke(what)', WITH_FUNCTION, (what) => guard.revoke(what), /^revoke\(\) takes exactly one of/],
  [
    'guard.explain(request)',
    WITH_FUNCTION,
    (request) => guard.explain(request),
    /^explain\(\) takes a request/,
  ],
];

describe('a wrong argument at run time throws a TypeError that names it', () => {
  test.each(typeErrors)('%s', async (_what, wrong, call, error) => {
    for (const value of wrong) {
      const thrown = await failureOf(() => call(value as never));
      expect([value, thrown]).toEqual([value, expect.any(TypeError)]);
      expect((thrown as Error).message).toMatch(error);
    }
  });
});

test('every function that an application calls is in the lists', () => {
  const entries = { ...core, ...ofWs, ...testing, ...ofExpress, ...ofFastify, ...ofRedis };
  const functions = Object.entries(entries)
    .filter(([, value]) => typeof value === 'function' && !/^class\b/.test(String(value)))
    .map(([name]) => name)
    .filter((name) => name !== 'Type' && name !== 'default' && name !== 'module.exports');
  const listed = [...policyErrors, ...typeErrors].map(([what]) => what);
  // It takes no argument.
  const missing = functions.filter(
    (name) => name !== 'anonymous' && !listed.some((what) => what.includes(`${name}(`)),
  );
  expect(missing).toEqual([]);
  expect(functions.length).toBeGreaterThan(25);
});

test('a refused call leaves the server as it was', () => {
  const server: Server = createServer();
  const { emit } = server;
  const calls = [
    () => ofWs.guardServer(server, aWss(), undefined as never),
    () => ofWs.guardServer(server, aWss(), guard, { path: 'chat' }),
    () => ofWs.guardServer(server, guard as never, guard),
    () => ofExpress.upgrade(server, guard as never, guard),
    () => ofKoa.upgrade(server, new Koa(), undefined as never),
    () => ofWs.gracefulShutdown(server, undefined as never),
  ];
  const signals = process.listenerCount('SIGTERM');
  for (const call of calls) expect(call).toThrow(PolicyError);
  expect(server.emit).toBe(emit);
  expect([server.listenerCount('upgrade'), process.listenerCount('SIGTERM')]).toEqual([0, signals]);
  expect(() => ofWs.guardServer(server, aWss(), guard, { path: '/chat' })).not.toThrow();
});

async function failureOf(call: () => unknown): Promise<unknown> {
  try {
    await call();
  } catch (error) {
    return error;
  }
  return 'nothing was thrown';
}
