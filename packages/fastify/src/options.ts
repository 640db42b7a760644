import type { Server } from 'node:http';
import { type AnyGuard, type Duration, PolicyError } from '@sallyport/core';
import { parseWindow } from '@sallyport/core/host';

export interface SallyportOptions {
  /**
   * The guard of every WebSocket route that names no other. Default: none; then each route says `config: { guard }`,
   * and one that does not stops the start-up.
   */
  readonly guard?: AnyGuard;
  /** The server that answers upgrades, where @fastify/websocket was given one in `options.server`. Default: `app.server`. */
  readonly server?: Server;
  /**
   * How long `app.close()` lets the guard's connections take to end, spread over the first four fifths of it. Default: 5 s; 0
   * drops them at once.
   */
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
  closeWindow(options);
}

/** Milliseconds of `closeWithin`. */
export function closeWindow({ closeWithin = '5s' }: SallyportOptions): number {
  return parseWindow(closeWithin, 'register(sallyport, { closeWithin })');
}

/** Structural, since the application may have a copy of the core of its own. */
export function isGuard(value: unknown): value is AnyGuard {
  return typeof (value as Partial<AnyGuard> | null | undefined)?.isFamilyOf === 'function';
}
