// Adds `websocket` and `wsHandler` to the type of routes, and `websocketServer` to that of the application.
import type {} from '@fastify/websocket';
import { type AnyGuard, PolicyError } from '@sallyport/core';
import { isGuard, shareOuterDoor } from '@sallyport/core/host';
import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify';

/** The property of a route's `config` that holds our entry: a request refers to the `config` of its route. */
const ROUTE: unique symbol = Symbol('sallyport.route');

interface Route {
  readonly url: string;
  readonly guard: AnyGuard | 'public';
  /** Whether the route serves ordinary requests as well, by a handler of its own beside `wsHandler`. */
  readonly servesRequests: boolean;
  /** Whether @fastify/websocket had loaded when the route was defined, and so serves it. */
  readonly served: boolean;
}

/** The WebSocket routes of an application, and the guard of each. */
export class WebSocketRoutes {
  readonly #routes: Route[] = [];
  /** The scopes in which these routes were defined. */
  readonly scopes = new Set<FastifyInstance>();

  constructor(readonly fallback: AnyGuard | undefined) {}

  /**
   * Adds a route, from the `onRoute` hook, and returns whether it is a WebSocket route. `check` finds wrong ones, when all are
   * known.
   *
   * @throws PolicyError for a guard on a route that is no WebSocket route.
   */
  add(options: RouteOptions, scope: FastifyInstance): boolean {
    if ([options.method].flat().every((method) => method === 'HEAD')) return false;
    const { url, config } = options;
    if (options.websocket !== true && options.wsHandler === undefined) {
      if (!isGuard(config?.guard)) return false;
      throw new PolicyError(`config.guard of ${url}`, 'this is no WebSocket route', 'Add websocket: true.');
    }
    const guard = config?.guard === undefined ? this.fallback : config.guard;
    const route = {
      url,
      guard: guard as Route['guard'],
      servesRequests: options.websocket !== true,
      served: scope.hasDecorator('websocketServer'),
    };
    this.#routes.push(route);
    this.scopes.add(scope);
    options.config = Object.assign({}, config, { [ROUTE]: route });
    return true;
  }

  /** Whether a route is public by name. */
  get hasPublic(): boolean {
    return this.#routes.some(({ guard }) => guard === 'public');
  }

  /** The guard of a request's route; `undefined` if that is no WebSocket route, or none that was added. */
  guardOf(request: FastifyRequest): AnyGuard | 'public' | undefined {
    return (request.routeOptions.config as { [ROUTE]?: Route })[ROUTE]?.guard;
  }

  /** Whether the request's route serves WebSockets and no ordinary requests. */
  servesOnlyWebSockets(request: FastifyRequest): boolean {
    return (request.routeOptions.config as { [ROUTE]?: Route })[ROUTE]?.servesRequests === false;
  }

  /**
   * Checks all routes, and returns a guard of the family that they share.
   *
   * @throws PolicyError that names the routes without a proper guard.
   */
  check(): AnyGuard {
    const guard = this.fallback ?? this.#routes.map((route) => route.guard).find(isGuard);
    this.#refuse(
      ({ served }) => !served,
      'defined before @fastify/websocket had loaded, which does not serve them',
      'await app.register(websocket) first.',
    );
    this.#refuse(
      (route) => route.guard === undefined,
      'without a guard',
      "Register @sallyport/fastify with { guard }, or give each route config: { guard }, or config: { guard: 'public' }.",
    );
    this.#refuse(
      (route) => route.guard !== 'public' && !isGuard(route.guard),
      'with a config.guard that is no guard',
      "Use createGuard, guard.extend, or 'public'.",
    );
    if (guard === undefined)
      throw new PolicyError(
        'register(sallyport, { guard })',
        'no guard for the outer door, which public routes have, too',
        'Make one with createGuard.',
      );
    this.#refuse(
      (route) => route.guard !== 'public' && !shareOuterDoor(guard, route.guard),
      'with a guard of another family, and a server has one outer door',
      'Make their guards with guard.extend({ … }) on one guard.',
    );
    return guard;
  }

  #refuse(wrong: (route: Route) => boolean, problem: string, fix: string): void {
    const urls = this.#routes.filter(wrong).map(({ url }) => url);
    if (urls.length > 0) throw new PolicyError('WebSocket routes', `${urls.join(', ')}: ${problem}`, fix);
  }
}
