import type { Server } from 'node:http';
import { type AnyGuard, type Duration, PolicyError } from '@sallyport/core';

export interface SallyportOptions {
  /**
   * The guard of every WebSocket route that names no other. Default: none; then each route says `config: { guard }`,
   * and one that does not stops the start-up.
   */
  readonly guard?: AnyGuard;
  /** The server that answers upgrades, where @fastify/websocket was given one in `options.server`. Default: `app.server`. */
  readonly server?: Server;
  /** What `app.close()` gives to `guard.close` as `within`: how long the end of all connections may take. Default: 5 s. */
  readonly closeWithin?: Duration;
}

/** Fastify adds the last three to the options of any plugin. */
const KNOWN = ['guard', 'server', 'closeWithin', 'prefix', 'logLevel', 'logSerializers'];

export function checkOptions(options: SallyportOptions): void {
  const unknown = Object.keys(options).find((key) => !KNOWN.includes(key));
  if (unknown !== undefined)
    throw new PolicyError(
      `register(sallyport, { ${unknown} })`,
      'unknown option',
      "Use 'guard', 'server' and 'closeWithin'.",
    );
  if (options.guard !== undefined && !isGuard(options.guard))
    throw new PolicyError('register(sallyport, { guard })', 'not a guard', 'Make it with createGuard.');
}

/** Structural, since the application may have a copy of the core of its own. */
export function isGuard(value: unknown): value is AnyGuard {
  return typeof (value as Partial<AnyGuard> | null | undefined)?.isFamilyOf === 'function';
}
