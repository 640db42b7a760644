import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
// Adds `websocketServer` to the type of the application.
import type {} from '@fastify/websocket';
import { PolicyError } from '@sallyport/core';
import { deny, hostGuard } from '@sallyport/core/host';
import {
  dispatchUpgrade,
  gate,
  incompleteRefusal,
  interceptUpgrades,
  refuseReplacedOptions,
  type UpgradeInterceptor,
  type UpgradeListener,
  upgradeOf,
  warnAboutKillTimeout,
} from '@sallyport/ws/host';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { endWithApplication } from './fastify-shutdown.ts';
import { catchHandlerErrors } from './handler-errors.ts';
import { checkOptions, closeWindow, type SallyportOptions } from './plugin-options.ts';
import { keepReplyOpen, sendReplyWith101 } from './switching-reply.ts';
import { WebSocketRoutes } from './websocket-routes.ts';

/** The plugin function. A wrong set-up throws here, or in `onReady`, when all routes are known. */
export async function guardApplication(app: FastifyInstance, options: SallyportOptions): Promise<void> {
  checkOptions(options);
  checkScope(app);
  const server = options.server ?? (app.server as Server);
  if (options.guard !== undefined) interceptUpgrades(server, options.guard);

  const routes = new WebSocketRoutes(options.guard);
  const requests = new WeakMap<IncomingMessage, FastifyRequest>();
  catchHandlerErrors(app, routes);
  dispatchUpgradesThroughRouting(app);

  app.addHook('onRoute', function (this: FastifyInstance, route) {
    if (routes.add(route, this)) keepReplyOpen(route);
  });
  app.addHook('onRequest', (request, reply, next) => {
    const upgrade = upgradeOf(request.raw);
    if (upgrade === undefined) {
      const guard = routes.servesOnlyWebSockets(request) ? routes.guardOf(request) : undefined;
      const refusal = guard && guard !== 'public' ? incompleteRefusal(request.raw, guard) : undefined;
      if (refusal === undefined) return next();
      void reply.code(refusal.status).headers(refusal.headers).send(refusal.body);
      return;
    }
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
    // A public route may use them.
    if (!routes.hasPublic) refuseReplacedOptions(wss, guard, 'register(websocket, { options })');
    gate(wss, {
      guard,
      route(raw) {
        const request = requests.get(raw);
        const routeGuard = request && routes.guardOf(request);
        if (routeGuard === undefined) return deny('route_unknown', 'a route that the guard does not know');
        return routeGuard === 'public' ? { public: true } : { guard: routeGuard, native: request };
      },
      beforeSwitching: sendReplyWith101,
    });
    const removeListener = replaceUpgradeListener(interceptUpgrades(server, guard));
    // Fastify's silent logger has no level. Then the guard keeps its own.
    if (typeof app.log.level === 'string') hostGuard(guard).useLogger(app.log);
    warnAboutKillTimeout(guard, closeWindow(options));
    const shutdown = { server, guard, wss, milliseconds: closeWindow(options), removeListener };
    endWithApplication(app, shutdown);
  });
}

/** @throws PolicyError for a set-up in which routes could be reached without the guard, as far as Fastify shows. */
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

/** The ws server of @fastify/websocket that serves all WebSocket routes. @throws PolicyError unless there is exactly one. */
function webSocketServer(app: FastifyInstance, routes: WebSocketRoutes): FastifyInstance['websocketServer'] {
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
 * Sends upgrades through Fastify's routing with an `UpgradeResponse`: a refusal is sent and closes the socket, and any other
 * response is replaced by `route_unknown`, also on routes that our hooks do not reach.
 */
function dispatchUpgradesThroughRouting(app: FastifyInstance): void {
  const { routing } = app;
  app.routing = (request, response) => {
    const upgrade = upgradeOf(request);
    if (upgrade === undefined) return routing(request, response);
    response.detachSocket(upgrade.socket as Socket);
    dispatchUpgrade(upgrade, routing);
  };
}

/** Calls the `upgrade` listener of @fastify/websocket from a handler of ours, which takes every path, and removes it from the server. */
function replaceUpgradeListener(interceptor: UpgradeInterceptor): () => void {
  const { server, otherListeners } = interceptor;
  const [listener, ...more] = otherListeners as [UpgradeListener?, ...UpgradeListener[]];
  if (listener === undefined)
    throw new PolicyError(
      'register(sallyport, { server })',
      '@fastify/websocket listens to another server',
      'Name the server that it was given in options.server.',
    );
  if (more.length > 0)
    throw new PolicyError(
      'upgrade listeners',
      'the server has upgrade listeners without a guard',
      'Let them listen on a server of their own.',
    );
  server.off('upgrade', listener);
  return interceptor.addHandler({
    matchesAll: true,
    matches: () => true,
    accept: ({ request, socket }) => listener.call(server, request, socket, Buffer.alloc(0)),
  });
}
