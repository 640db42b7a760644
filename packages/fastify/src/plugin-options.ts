import type { Server } from 'node:http';
import type { AnyGuard, Duration } from '@sallyport/core';
import { parseWindow, refuseUnknown, requireGuard } from '@sallyport/core/host';
import { requireHttpServer } from '@sallyport/ws/host';

/** Options of the Fastify plugin `sallyport`. */
export interface SallyportOptions {
  /**
   * The guard of every WebSocket route without `config: { guard }`. Default: none; then a route without `config: { guard }`
   * throws a `PolicyError` at start-up.
   */
  readonly guard?: AnyGuard;
  /** The server whose upgrades are guarded, if @fastify/websocket has one in its `options.server`. Default: `app.server`. */
  readonly server?: Server;
  /**
   * How long `app.close()` waits for the guard's connections to end. Their closes are spread over the first four fifths of
   * this time. Default: 5 s. 0 drops all connections at once.
   */
  readonly closeWithin?: Duration;
}

/** Our three options, and three that Fastify allows for any plugin. */
const KNOWN = ['guard', 'server', 'closeWithin', 'prefix', 'logLevel', 'logSerializers'];

/** @throws PolicyError for an unknown option or a wrong value. */
export function checkOptions(options: SallyportOptions): void {
  refuseUnknown(options, KNOWN, 'register(sallyport)');
  if (options.guard !== undefined) requireGuard(options.guard, 'register(sallyport, { guard })');
  if (options.server !== undefined) requireHttpServer(options.server, 'register(sallyport, { server })');
  closeWindow(options);
}

/** `closeWithin` in milliseconds. */
export function closeWindow({ closeWithin = '5s' }: SallyportOptions): number {
  return parseWindow(closeWithin, 'register(sallyport, { closeWithin })');
}
