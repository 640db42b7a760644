// Gives routes `websocket` and `wsHandler`, and the application `websocketServer`.
import type {} from '@fastify/websocket';
import { type AnyGuard, PolicyError } from '@sallyport/core';
import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify';
import { isGuard } from './options.ts';

/** Kept in the route's own `config`, since that is what a request leads back to. */
const ROUTE: unique symbol = Symbol('sallyport.route');

interface Route {
  readonly url: string;
  readonly guard: AnyGuard | 'public';
  /** Whether @fastify/websocket was there to make a WebSocket route of it. */
  readonly served: boolean;
}

/** The WebSocket routes of an application, and who decides about each. */
export class Routes {
  readonly #routes: Route[] = [];
  /** The scopes that they are in. */
  readonly scopes = new Set<FastifyInstance>();

  constructor(readonly fallback: AnyGuard | undefined) {}

  /** Learns of a route as it is defined, and says whether it is a WebSocket route; what is wrong with it is told when all are known. */
  add(options: RouteOptions, scope: FastifyInstance): boolean {
    if ([options.method].flat().every((method) => method === 'HEAD')) return false;
    const { url, config } = options;
    if (options.websocket !== true && options.wsHandler === undefined) {
      if (!isGuard(config?.guard)) return false;
      throw new PolicyError(`config.guard of ${url}`, 'this is no WebSocket route', 'Add websocket: true.');
    }
    const guard = config?.guard === undefined ? this.fallback : config.guard;
    const route = { url, guard: guard as Route['guard'], served: scope.hasDecorator('websocketServer') };
    this.#routes.push(route);
    this.scopes.add(scope);
    options.config = Object.assign({}, config, { [ROUTE]: route });
    return true;
  }

  /** Who decides about the route that a request was led to; `undefined` where that is no WebSocket route, or unknown. */
  guardOf(request: FastifyRequest): AnyGuard | 'public' | undefined {
    return (request.routeOptions.config as { [ROUTE]?: Route })[ROUTE]?.guard;
  }

  /**
   * One guard of the family that all routes share.
   *
   * @throws PolicyError that names the routes which could not be guarded as they are.
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
        'no guard for the outer door, which stands before public routes too',
        'Make one with createGuard.',
      );
    this.#refuse(
      (route) => route.guard !== 'public' && !guard.isFamilyOf(route.guard),
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
