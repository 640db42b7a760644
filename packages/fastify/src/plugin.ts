// Gives the application `websocketServer`.

import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import type {} from '@fastify/websocket';
import { PolicyError } from '@sallyport/core';
import { deny } from '@sallyport/core/host';
import {
  dispatchUpgrade,
  type Gatehouse,
  gate,
  standBefore,
  type UpgradeListener,
  upgradeOf,
} from '@sallyport/ws/host';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { catchHandlers } from './handlers.ts';
import { checkOptions, closeWindow, type SallyportOptions } from './options.ts';
import { Routes } from './routes.ts';
import { closeWith } from './shutdown.ts';
import { keepReply, sendSwitching } from './switching.ts';

/** The plugin's body: everything that can go wrong with the set-up stops the start-up here or in `onReady`. */
export async function guardApplication(app: FastifyInstance, options: SallyportOptions): Promise<void> {
  checkOptions(options);
  checkScope(app);
  const server = options.server ?? (app.server as Server);
  if (options.guard !== undefined) standBefore(server, options.guard);

  const routes = new Routes(options.guard);
  const requests = new WeakMap<IncomingMessage, FastifyRequest>();
  catchHandlers(app, routes);
  dispatchThroughRouting(app);

  app.addHook('onRoute', function (this: FastifyInstance, route) {
    if (routes.add(route, this)) keepReply(route);
  });
  app.addHook('onRequest', (request, reply, next) => {
    const upgrade = upgradeOf(request.raw);
    if (upgrade === undefined) return next();
    if (routes.guardOf(request) !== undefined) {
      requests.set(request.raw, request);
      return next();
    }
    reply.hijack();
    upgrade.refuse(upgrade.handshake.deny(deny('route_unknown', 'not a WebSocket route').at('route')));
  });
  app.addHook('onReady', async () => {
    const guard = routes.check();
    const wss = webSocketServer(app, routes);
    gate(wss, {
      guard,
      target(raw) {
        const request = requests.get(raw);
        const decider = request && routes.guardOf(request);
        if (decider === undefined) return deny('route_unknown', 'a route that the guard does not know');
        return decider === 'public' ? { public: true } : { guard: decider, native: request };
      },
      beforeSwitching: sendSwitching,
    });
    takeUpgrades(standBefore(server, guard));
    // Without a logger of its own, Fastify has a silent one.
    if (typeof app.log.level === 'string') guard.useLogger(app.log);
    closeWith(app, guard, wss, closeWindow(options));
  });
}

/** What Fastify lets see of a set-up in which routes could be reached around the guard. */
function checkScope(app: FastifyInstance): void {
  if ((app.initialConfig as { http2?: boolean }).http2 === true)
    throw new PolicyError('Fastify', 'HTTP/2 has no upgrade requests', 'Serve WebSockets over HTTP/1.1.');
  if (!app.hasDecorator('websocketServer')) return;
  const earlier = app.printRoutes({ method: 'GET', commonPrefix: false });
  if (!earlier.startsWith('(empty'))
    throw new PolicyError(
      '@sallyport/fastify',
      `these routes came before it, and it cannot see which of them are WebSocket routes:\n${earlier}`,
      'Register it right after @fastify/websocket, or anywhere before it.',
    );
}

/** The one ws server that serves the routes. */
function webSocketServer(app: FastifyInstance, routes: Routes): FastifyInstance['websocketServer'] {
  if (app.hasDecorator('websocketServer') && !Object.hasOwn(app, 'websocketServer'))
    throw new PolicyError(
      '@sallyport/fastify',
      'it is in a narrower scope than @fastify/websocket, whose other routes would have no guard',
      'Register both in the same scope.',
    );
  const scopes = [app, ...routes.scopes].filter((scope) => scope.hasDecorator('websocketServer'));
  const [wss, ...more] = new Set(scopes.map((scope) => scope.websocketServer));
  if (wss === undefined)
    throw new PolicyError(
      '@fastify/websocket',
      'it was not registered where @sallyport/fastify is',
      'await app.register(websocket).',
    );
  if (more.length > 0)
    throw new PolicyError('@fastify/websocket', 'it was registered more than once', 'Register it once.');
  return wss;
}

/**
 * Lets an upgrade run through the application with a response that closes, ends the socket when it is sent, and turns
 * whatever is no refusal into one: also on routes that no hook of ours reaches.
 */
function dispatchThroughRouting(app: FastifyInstance): void {
  const { routing } = app;
  app.routing = (request, response) => {
    const upgrade = upgradeOf(request);
    if (upgrade === undefined) return routing(request, response);
    response.detachSocket(upgrade.socket as Socket);
    dispatchUpgrade(upgrade, routing);
  };
}

/** Takes the listener of @fastify/websocket off the server, so that one which is added later cannot stand beside it. */
function takeUpgrades(gatehouse: Gatehouse): void {
  const { server, strangers } = gatehouse;
  const [listener, ...more] = strangers as [UpgradeListener?, ...UpgradeListener[]];
  if (listener === undefined)
    throw new PolicyError(
      'register(sallyport, { server })',
      '@fastify/websocket listens to another server',
      'Name the server that it was given in options.server.',
    );
  if (more.length > 0)
    throw new PolicyError(
      'upgrade listeners',
      'the server has upgrade listeners that no guard stands before',
      'Let them listen on a server of their own.',
    );
  server.off('upgrade', listener);
  gatehouse.own({
    everything: true,
    matches: () => true,
    accept: ({ request, socket }) => listener.call(server, request, socket, Buffer.alloc(0)),
  });
}
